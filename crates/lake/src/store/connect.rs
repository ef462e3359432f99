//! Opens object stores with the usual chain of credentials.

use delta_kernel::object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use delta_kernel::object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use delta_kernel::object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use delta_kernel::object_store::local::LocalFileSystem;
use delta_kernel::object_store::{
    ClientConfigKey, ClientOptions, CredentialProvider, DynObjectStore, ObjectStore, RetryConfig,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Retries of one request. The library's own 10 within three minutes would let a command seem to hang where
/// there is no store, or where no instance metadata service answers a search for credentials.
const RETRIES: usize = 4;
/// After this a request is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);
/// A store that does not take a connection within this is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The object store library's own name for the endpoint of Azure's machine identity.
const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";

/// A store and, where it has credentials, a way to see whether these can be had.
pub(crate) struct Opened {
    pub(crate) objects: Arc<DynObjectStore>,
    pub(crate) credentials: Option<Credentials>,
    /// whether it is this machine's disk
    pub(crate) is_local: bool,
}

impl Opened {
    fn with<C: Send + Sync + 'static>(
        credentials: Arc<dyn CredentialProvider<Credential = C>>,
        objects: impl ObjectStore,
    ) -> Self {
        Self { objects: Arc::new(objects), credentials: Some(Credentials::of(credentials)), is_local: false }
    }
}

/// Fetches credentials and tells what went wrong.
#[derive(Clone)]
pub(crate) struct Credentials(Arc<dyn Fn() -> BoxFuture<'static, object_store::Result<()>> + Send + Sync>);

impl Credentials {
    fn of<C: Send + Sync + 'static>(provider: Arc<dyn CredentialProvider<Credential = C>>) -> Self {
        Self(Arc::new(move || {
            let provider = Arc::clone(&provider);
            async move { provider.get_credential().await.map(drop) }.boxed()
        }))
    }

    pub(crate) async fn check(&self) -> object_store::Result<()> {
        (self.0)().await
    }
}

impl std::fmt::Debug for Credentials {
    /// Nothing of what they are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// Opens the store of an address: settings come from the environment (`AWS_*`, `GOOGLE_*`, `AZURE_*`), then from
/// the machine's role, as the `object_store` crate documents them; `settings` (the same names) go before both.
pub(crate) fn connect(url: &Url, settings: &BTreeMap<String, String>) -> object_store::Result<Opened> {
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: GIVE_UP_AFTER, ..RetryConfig::default() };
    let client = ClientOptions::new().with_connect_timeout(CONNECT_WITHIN);
    match url.scheme() {
        "file" => Ok(Opened { objects: Arc::new(LocalFileSystem::new()), credentials: None, is_local: true }),
        "s3" => {
            // The client options go first: settings of the environment are written into them.
            let mut builder =
                AmazonS3Builder::new().with_client_options(client).with_retry(retry).with_url(url.as_str());
            for (key, value) in chain("AWS_", settings) {
                if let Ok(key) = key.parse::<AmazonS3ConfigKey>() {
                    builder = builder.with_config(key, value);
                }
            }
            let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
            if endpoint.is_some_and(|e| e.starts_with("http://")) {
                // An http:// endpoint was written out by the user, and requests carry signatures, not secrets.
                builder = builder.with_allow_http(true);
            }
            let store = builder.build()?;
            Ok(Opened::with(Arc::clone(store.credentials()), store))
        }
        "gs" => {
            let mut builder = GoogleCloudStorageBuilder::new()
                .with_client_options(client)
                .with_retry(retry)
                .with_url(url.as_str());
            for (key, value) in chain("GOOGLE_", settings) {
                if let Ok(key) = key.parse::<GoogleConfigKey>() {
                    builder = builder.with_config(key, value);
                }
            }
            let store = builder.build()?;
            Ok(Opened::with(Arc::clone(store.credentials()), store))
        }
        _ => {
            let mut builder = MicrosoftAzureBuilder::new()
                .with_client_options(client)
                .with_retry(retry)
                .with_url(url.as_str());
            for (key, value) in chain("AZURE_", settings) {
                if let Ok(key) = key.parse::<AzureConfigKey>() {
                    builder = builder.with_config(key, value);
                }
            }
            if let Ok(endpoint) = std::env::var(IDENTITY_ENDPOINT) {
                builder = builder.with_msi_endpoint(endpoint);
            }
            let endpoint = builder.get_config_value(&AzureConfigKey::Endpoint);
            if endpoint.is_some_and(|e| e.starts_with("http://")) {
                builder = builder.with_config(AzureConfigKey::Client(ClientConfigKey::AllowHttp), "true");
            }
            let store = builder.build()?;
            Ok(Opened::with(Arc::clone(store.credentials()), store))
        }
    }
}

/// The environment's settings with this prefix, then the given ones, names in lower case as the builders read them.
fn chain(prefix: &str, settings: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let environment = std::env::vars_os().filter_map(|(key, value)| {
        let (key, value) = (key.into_string().ok()?, value.into_string().ok()?);
        (key.starts_with(prefix) && !value.is_empty()).then_some((key, value))
    });
    let given = settings.iter().map(|(key, value)| (key.clone(), value.clone()));
    environment.chain(given).map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()
}
