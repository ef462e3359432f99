//! The environment that libpq's variables are read from.

use std::path::PathBuf;

/// Where variables come from: the process, or a list in tests.
pub trait Environment {
    /// The value of a variable; `None` when it is unset, empty or not UTF-8.
    fn variable(&self, name: &str) -> Option<String>;

    /// The operating system's name of the user, who signs in where no other is named.
    fn user_name(&self) -> Option<String>;
}

/// The environment of this process.
pub(super) struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// By the effective user id, as libpq does: `USER` can say anything and is often unset in containers and services.
    fn user_name(&self) -> Option<String> {
        whoami::username().ok().filter(|name| !name.is_empty())
    }
}

impl<const N: usize> Environment for [(&str, &str); N] {
    fn variable(&self, name: &str) -> Option<String> {
        self.iter()
            .find(|(variable, value)| *variable == name && !value.is_empty())
            .map(|(_, value)| (*value).to_owned())
    }

    fn user_name(&self) -> Option<String> {
        self.variable("USER")
    }
}

/// The user's folder, where libpq looks for `.pgpass` and `.postgresql/`.
pub(super) fn home(environment: &dyn Environment) -> Option<PathBuf> {
    environment.variable("HOME").map(PathBuf::from)
}

/// The variables that name a server or a database. One of them set is a wish for that server;
/// `PGUSER`, `PGPASSWORD` and the `PGSSL…` ones alone only say how to sign in wherever that is.
const NAMING: [&str; 4] = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE"];

/// True when the variables of libpq name a server or a database.
pub(super) fn names_a_server(environment: &dyn Environment) -> bool {
    NAMING.iter().any(|name| environment.variable(name).is_some())
}
