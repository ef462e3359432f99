//! TCP keepalive probes.

use std::time::Duration;

use super::address::AddressError;
use super::keyword::Parameters;

/// A silent peer is probed after this time, so that a connection cut by a firewall is noticed
/// within minutes and not after the two hours that systems have as default.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_COUNT: u32 = 4;

/// When a silent peer is probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keepalive {
    pub(super) on: bool,
    pub(super) idle: Duration,
    pub(super) interval: Duration,
    pub(super) count: u32,
    pub(super) user_timeout: Option<Duration>,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            on: true,
            idle: KEEPALIVE_IDLE,
            interval: KEEPALIVE_INTERVAL,
            count: KEEPALIVE_COUNT,
            user_timeout: None,
        }
    }
}

impl Keepalive {
    pub(super) fn from_parameters(parameters: &Parameters) -> Result<Self, AddressError> {
        let default = Self::default();
        let positive = |keyword| -> Result<Option<u64>, AddressError> {
            let number = parameters.number(keyword)?;
            Ok(number.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0))
        };
        Ok(Self {
            on: parameters.number("keepalives")? != Some(0),
            idle: positive("keepalives_idle")?.map_or(default.idle, Duration::from_secs),
            interval: positive("keepalives_interval")?.map_or(default.interval, Duration::from_secs),
            count: positive("keepalives_count")?
                .map_or(default.count, |n| u32::try_from(n).unwrap_or(u32::MAX)),
            user_timeout: positive("tcp_user_timeout")?.map(Duration::from_millis),
        })
    }
}
