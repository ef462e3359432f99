//! What is wrong in the file.

/// A mistake that serde cannot see, and what to do about it.
#[derive(Debug)]
pub(super) struct Mistake {
    pub message: String,
    /// empty where the message says it all
    pub hint: &'static str,
}

impl Mistake {
    pub fn new(message: impl Into<String>, hint: &'static str) -> Self {
        Self { message: message.into(), hint }
    }

    /// The same, told of a synced table.
    pub fn of_table(self, name: &str) -> Self {
        Self { message: format!("synced table \"{name}\": {}", self.message), ..self }
    }
}

impl From<String> for Mistake {
    fn from(message: String) -> Self {
        Self::new(message, "")
    }
}
