//! A real browser, without a window.

use std::path::Path;
use std::process::{Command, Output};

/// Chromium or Chrome, where one is installed.
pub struct Browser<'a> {
    program: &'static str,
    folder: &'a Path,
}

impl<'a> Browser<'a> {
    /// The machine's browser, which keeps its profile and its pictures in `folder`; None, said loudly, where there is none.
    pub fn find(folder: &'a Path) -> Option<Self> {
        let answers = |name: &&str| {
            Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
        };
        let program = ["chromium", "google-chrome"].into_iter().find(answers);
        if program.is_none() {
            eprintln!("SKIPPED: no chromium: the pages were not looked at");
        }
        Some(Self { program: program?, folder })
    }

    /// The document of a page as text, after its scripts have run.
    pub fn document(&self, url: &str) -> String {
        let output = self.run(&["--dump-dom"], url);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The PNG of a page of 1280 by 1000 pixels, after its scripts have run.
    pub fn picture(&self, url: &str) -> Vec<u8> {
        let file = self.folder.join("page.png");
        let output = self.run(&[&format!("--screenshot={}", file.display()), "--window-size=1280,1000"], url);
        std::fs::read(&file)
            .unwrap_or_else(|e| panic!("{url}: {e}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn run(&self, arguments: &[&str], url: &str) -> Output {
        let common = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            // The page's clock runs ahead while nothing is being loaded, so its scripts come to an end.
            "--virtual-time-budget=20000",
        ];
        let profile = format!("--user-data-dir={}", self.folder.join("browser").display());
        Command::new(self.program)
            .args(common)
            .arg(profile)
            .args(arguments)
            .arg(url)
            .output()
            .expect("it runs")
    }
}
