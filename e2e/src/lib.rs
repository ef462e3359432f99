//! lakefront-e2e
