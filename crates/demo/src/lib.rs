//! lakefront-demo
