//! How much one client, and one app, may ask for in a while.
//!
//! A leaky bucket each (the GCRA of the crate `governor`), by the machine's own steady clock. Memory is bounded: an address or an
//! app is known by a hash of 18 bits, keyed at random at each start, so that nobody can choose to share somebody else's bucket.

use std::fmt;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use axum::http::HeaderMap;
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::config;

/// Buckets at most: 2¹⁸ are 10 MB if all are in use, and with a thousand busy clients 1 in 262 shares one.
const BUCKETS: u64 = 1 << 18;

/// Too much was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: come again in {seconds} s")]
pub(crate) struct TooMany {
    /// When the next is let through, at least 1.
    pub(crate) seconds: u64,
}

/// The limits of one server.
pub(crate) struct Limits {
    addresses: Option<Buckets>,
    apps: Option<Buckets>,
    proxies: Vec<IpAddr>,
}

impl Limits {
    pub(crate) fn new(config: &config::Limits) -> Self {
        Self {
            addresses: Buckets::new(config.address_per_second, config.address_burst),
            apps: Buckets::new(config.app_per_second, config.app_burst),
            proxies: config.trusted_proxies.iter().map(IpAddr::to_canonical).collect(),
        }
    }

    /// One more request of a client.
    pub(crate) fn admit(&self, client: IpAddr) -> Result<(), TooMany> {
        let network = match client.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            // One customer of a provider has a /64 at least, and all the addresses in it.
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        };
        self.addresses.as_ref().map_or(Ok(()), |buckets| buckets.take(&network))
    }

    /// One more verification for an app.
    pub(crate) fn admit_to_app(&self, app_id: &str) -> Result<(), TooMany> {
        self.apps.as_ref().map_or(Ok(()), |buckets| buckets.take(app_id))
    }

    /// Who asks: the peer, or whoever the last proxy that is not ours names. What others claim is not believed.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let mut named = headers
            .get_all("x-forwarded-for")
            .iter()
            .rev()
            .flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        while self.proxies.contains(&client) {
            match named.next().and_then(|name| name.trim().parse::<IpAddr>().ok()) {
                Some(address) => client = address.to_canonical(),
                None => break,
            }
        }
        client
    }

    /// Forgets who has not asked for a while; to be called now and then.
    pub(crate) fn forget(&self) {
        for buckets in [&self.addresses, &self.apps].into_iter().flatten() {
            buckets.limiter.retain_recent();
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limits")
    }
}

/// A bucket for each, of those that share a hash one.
struct Buckets {
    limiter: RateLimiter<u64, HashMapStateStore<u64>, DefaultClock>,
    clock: DefaultClock,
    hasher: RandomState,
}

impl Buckets {
    /// None for no limit.
    fn new(per_second: u32, burst: u32) -> Option<Self> {
        let quota = Quota::per_second(NonZeroU32::new(per_second)?);
        let quota = quota.allow_burst(NonZeroU32::new(burst.max(per_second))?);
        Some(Self {
            limiter: RateLimiter::hashmap(quota),
            clock: DefaultClock::default(),
            hasher: RandomState::new(),
        })
    }

    fn take<T: Hash + ?Sized>(&self, who: &T) -> Result<(), TooMany> {
        let bucket = self.hasher.hash_one(who) % BUCKETS;
        self.limiter.check_key(&bucket).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            TooMany { seconds: wait.as_secs() + 1 } // rounded up
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(proxies: &[&str]) -> Limits {
        Limits::new(&config::Limits {
            address_per_second: 1,
            address_burst: 3,
            app_per_second: 0,
            trusted_proxies: proxies.iter().map(|proxy| proxy.parse().unwrap()).collect(),
            ..config::Limits::default()
        })
    }

    #[test]
    fn each_network_has_its_own_bucket() {
        let limits = limits(&[]);
        let admit = |address: &str| limits.admit(address.parse().unwrap());
        for _ in 0..3 {
            assert_eq!(admit("192.0.2.1"), Ok(()));
            assert_eq!(admit("2001:db8::1"), Ok(()));
        }
        assert_eq!(admit("192.0.2.1"), Err(TooMany { seconds: 1 }));
        assert_eq!(admit("::ffff:192.0.2.1"), Err(TooMany { seconds: 1 }), "the same, written otherwise");
        assert_eq!(admit("2001:db8::ffff"), Err(TooMany { seconds: 1 }), "of the same /64");
        assert_eq!(admit("2001:db8:0:1::1"), Ok(()));
        assert_eq!(admit("192.0.2.2"), Ok(()));
        for _ in 0..1000 {
            assert_eq!(limits.admit_to_app("app"), Ok(()), "0 is no limit");
        }
    }

    #[test]
    fn only_trusted_proxies_name_a_client() {
        let limits = limits(&["10.0.0.1", "10.0.0.2"]);
        let client = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            limits.client(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "anybody can write a header");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7", "the rest is hearsay");
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
    }
}
