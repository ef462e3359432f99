//! Choosing each setting's value: environment, given, default.

use std::{env, path::PathBuf};

use super::{
    DEFAULT_POOL_SIZE, DatabaseSettings, GivenSettings, Secret, Settings, SettingsError, SslMode, TableNames,
};

/// Where a setting's value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This environment variable.
    Environment(&'static str),
    /// The caller, usually its configuration file.
    Given,
    /// The built-in default.
    Default,
}

impl Origin {
    /// In words, for the configuration check.
    pub fn describe(self) -> String {
        match self {
            Self::Environment(name) => format!("environment variable {name}"),
            Self::Given => "configuration".to_owned(),
            Self::Default => "default".to_owned(),
        }
    }
}

impl Settings {
    /// Settings from the process's environment, then from `given`, then defaults. A variable that is set but
    /// empty counts as absent.
    pub fn from_environment(given: &GivenSettings) -> Result<Self, SettingsError> {
        Self::resolve(given, |name| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(SettingsError::NotUnicode(name.to_owned())),
        })
    }

    /// Settings from `given` and defaults alone, for a caller that runs the server itself: a `PGHOST` left in
    /// the environment must not lead it elsewhere.
    pub fn explicit(given: &GivenSettings) -> Result<Self, SettingsError> {
        Self::resolve(given, |_| Ok(None))
    }

    /// As [`Settings::from_environment`] with `variable` as the environment.
    pub fn resolve(
        given: &GivenSettings,
        variable: impl Fn(&str) -> Result<Option<String>, SettingsError>,
    ) -> Result<Self, SettingsError> {
        let mut from = Resolver { variable, origins: Vec::new() };
        let host = from.text("host", &["LAKEBASE_HOST", "PGHOST"], &given.host, "localhost")?;
        let port =
            from.number("port", &["LAKEBASE_PORT", "PGPORT"], given.port.map(u32::from), 5432, 65_535)?;
        let user_default = (from.variable)("USER")?.filter(|user| !user.is_empty());
        let user_default = user_default.as_deref().unwrap_or("postgres");
        let user = from.text("user", &["LAKEBASE_USER", "PGUSER"], &given.user, user_default)?;
        let database = from.text("database", &["LAKEBASE_DATABASE", "PGDATABASE"], &given.database, &user)?;
        let given_password = given.password.as_ref().map(|secret| secret.reveal().to_owned());
        let password = from.optional("password", &["LAKEBASE_PASSWORD", "PGPASSWORD"], &given_password)?;
        let given_mode = given.ssl_mode.map(|mode| mode.name().to_owned());
        let mode_default = SslMode::default_for(&host).name();
        let ssl_mode =
            from.text("ssl_mode", &["LAKEBASE_SSL_MODE", "PGSSLMODE"], &given_mode, mode_default)?.parse()?;
        let ssl_root_cert = from.path("ssl_root_cert", &["PGSSLROOTCERT"], &given.ssl_root_cert)?;
        let given_size = given.pool_size.map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let pool_size =
            from.number("pool_size", &["LAKEBASE_POOL_SIZE"], given_size, DEFAULT_POOL_SIZE as u32, 1000)?;
        let tables = TableNames {
            catalog: from.text("catalog", &["CATALOG"], &given.catalog, "ecom")?,
            schema: from.text("schema", &["SCHEMA"], &given.schema, "fashion_demo")?,
            products: from.text(
                "products_table",
                &["PRODUCTS_TABLE"],
                &given.products_table,
                "productsdb",
            )?,
            users: from.text("users_table", &["USERS_TABLE"], &given.users_table, "usersdb")?,
            embeddings: from.text(
                "embeddings_table",
                &["EMBEDDINGS_TABLE"],
                &given.embeddings_table,
                "product_image_embeddingsdb",
            )?,
            user_features: from.text(
                "user_features_table",
                &["USER_FEATURES_TABLE"],
                &given.user_features_table,
                "user_style_featuresdb",
            )?,
        };
        let images_dir = from.path("images_dir", &["IMAGES_DIR"], &given.images_dir)?;
        Ok(Settings {
            database: DatabaseSettings {
                host,
                port: port as u16,
                database,
                user,
                password: password.map(Secret::from),
                ssl_mode,
                ssl_root_cert,
                pool_size: pool_size as usize,
            },
            tables,
            images_dir,
            origins: from.origins,
        })
    }
}

struct Resolver<V> {
    variable: V,
    origins: Vec<(&'static str, Origin)>,
}

impl<V: Fn(&str) -> Result<Option<String>, SettingsError>> Resolver<V> {
    fn optional(
        &mut self,
        setting: &'static str,
        variables: &[&'static str],
        given: &Option<String>,
    ) -> Result<Option<String>, SettingsError> {
        for &name in variables {
            if let Some(value) = (self.variable)(name)?.filter(|value| !value.is_empty()) {
                self.origins.push((setting, Origin::Environment(name)));
                return Ok(Some(value));
            }
        }
        let origin = if given.is_some() { Origin::Given } else { Origin::Default };
        self.origins.push((setting, origin));
        Ok(given.clone())
    }

    fn text(
        &mut self,
        setting: &'static str,
        variables: &[&'static str],
        given: &Option<String>,
        default: &str,
    ) -> Result<String, SettingsError> {
        Ok(self.optional(setting, variables, given)?.unwrap_or_else(|| default.to_owned()))
    }

    fn path(
        &mut self,
        setting: &'static str,
        variables: &[&'static str],
        given: &Option<PathBuf>,
    ) -> Result<Option<PathBuf>, SettingsError> {
        let fallback = given.clone();
        let marker = given.as_ref().map(|path| path.to_string_lossy().into_owned());
        let chosen = self.optional(setting, variables, &marker)?;
        // A path from the caller need not be UTF-8, so it is taken from `given`, not from its text.
        Ok(if chosen == marker { fallback } else { chosen.map(PathBuf::from) })
    }

    fn number(
        &mut self,
        setting: &'static str,
        variables: &[&'static str],
        given: Option<u32>,
        default: u32,
        most: u32,
    ) -> Result<u32, SettingsError> {
        let text = self.text(setting, variables, &given.map(|n| n.to_string()), &default.to_string())?;
        match text.parse() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => {
                let name = match self.origins.last() {
                    Some((_, Origin::Environment(variable))) => variable,
                    _ => setting,
                };
                Err(SettingsError::Number { name: name.to_owned(), value: text, least: 1, most })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashMap;

    use super::*;

    fn settings(given: GivenSettings, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        Settings::resolve(&given, |name| Ok(variables.get(name).map(|value| value.to_string())))
    }

    fn origin(settings: &Settings, name: &str) -> Origin {
        settings.origins.iter().find(|(setting, _)| *setting == name).unwrap().1
    }

    #[test]
    fn environment_goes_before_the_file_and_the_file_before_defaults() {
        let file = GivenSettings {
            host: Some("file.example.com".into()),
            port: Some(6000),
            user: Some("shop".into()),
            catalog: Some("shop_catalog".into()),
            ..Default::default()
        };
        let environment =
            [("PGHOST", "pg.example.com"), ("LAKEBASE_HOST", "lakebase.example.com"), ("PGPORT", "")];
        let settings = settings(file, &environment).unwrap();
        assert_eq!(settings.database.host, "lakebase.example.com");
        assert_eq!(origin(&settings, "host"), Origin::Environment("LAKEBASE_HOST"));
        assert_eq!((settings.database.port, origin(&settings, "port")), (6000, Origin::Given));
        assert_eq!(settings.tables.products_name(), "shop_catalog.fashion_demo.productsdb");
        assert_eq!(origin(&settings, "schema"), Origin::Default);
        assert_eq!(settings.database.database, "shop");
        assert_eq!(settings.database.ssl_mode, SslMode::Require);
    }

    #[test]
    fn a_password_shows_nowhere() {
        let settings =
            settings(GivenSettings::default(), &[("LAKEBASE_PASSWORD", "hunter2-secret")]).unwrap();
        assert_eq!(settings.database.password.as_ref().unwrap().reveal(), "hunter2-secret");
        assert!(!format!("{settings:?}").contains("hunter2"));
        let given = GivenSettings { password: Some("hunter2-secret".into()), ..Default::default() };
        assert!(!format!("{given:?}").contains("hunter2"));
    }

    #[test]
    fn a_wrong_value_is_named() {
        let error = settings(GivenSettings::default(), &[("PGPORT", "70000")]).unwrap_err();
        assert_eq!(error.to_string(), "PGPORT is \"70000\"; it must be a whole number from 1 to 65535");
        let error = settings(GivenSettings::default(), &[("PGSSLMODE", "yes")]).unwrap_err();
        assert!(error.to_string().contains("\"yes\""));
    }
}
