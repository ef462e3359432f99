//! Hosting the storefront: its settings, and the port it listens on.

use crate::context::Context;
use crate::error::CliError;
use lakefront_model::Condition;
use lakefront_storefront::{GivenSettings, Settings};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Opens the storefront's port.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).await.map_err(|e| {
        CliError::failed(
            Condition::ConnectionError,
            format!("cannot listen on {address}: {e}"),
            "another program may use the port: stop it, or choose another port",
        )
    })
}

/// The environment first, then the file's `[storefront.settings]`, then the database that Lakefront itself works in.
pub fn settings(mut given: GivenSettings, context: &Context) -> Result<Settings, CliError> {
    let server = context.server();
    if given.host.is_none()
        && let Some(endpoint) = server.servers().first()
    {
        given.host = Some(endpoint.host.clone());
        given.port = given.port.or(Some(endpoint.port));
        given.user = given.user.or_else(|| Some(server.user().to_owned()));
        let password = server.password_for(endpoint).map(|p| p.reveal().to_owned().into());
        given.password = given.password.or(password);
        given.database = given.database.or_else(|| Some(storefront_database(context)));
    }
    Settings::from_environment(&given).map_err(|e| CliError::usage(format!("storefront: {e}"), ""))
}

/// The database of the first synced table, which the storefront's tables are among.
fn storefront_database(context: &Context) -> String {
    let specs = context.loaded.config.specs();
    let bound = specs.first().and_then(|s| context.loaded.config.database_of(&s.name));
    bound.unwrap_or_else(|| context.server().database()).to_owned()
}
