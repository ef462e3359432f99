// The shop works without this file. With it, filters apply as they are chosen, addresses stay short,
// and a picture that is missing leaves a quiet frame.
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  function hide(image) {
    image.classList.add("missing");
  }
  document.addEventListener("error", function (event) {
    if (event.target instanceof HTMLImageElement) hide(event.target);
  }, true);
  Array.prototype.forEach.call(document.images, function (image) {
    if (image.complete && image.naturalWidth === 0 && image.loading !== "lazy") hide(image);
  });

  // Empty fields need not be in the address.
  document.addEventListener("submit", function (event) {
    Array.prototype.forEach.call(event.target.elements, function (field) {
      if (field.name && field.value === "") field.disabled = true;
    });
  });
  // Going back shows the page as it was left, with the fields disabled.
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form [name]:disabled").forEach(function (field) {
      field.disabled = false;
    });
  });

  var form = document.getElementById("filter");
  if (!form) return;
  var sort = document.getElementById("sort");
  sort.addEventListener("change", function () {
    form.requestSubmit();
  });
  // In the drawer of a narrow screen people choose several before they look.
  var wide = window.matchMedia("(min-width: 60rem)");
  form.addEventListener("change", function () {
    if (wide.matches) form.requestSubmit();
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && location.hash === "#filters") location.hash = "#results";
  });
})();
