//! lakefront-testkit
