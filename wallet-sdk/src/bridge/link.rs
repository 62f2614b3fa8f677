//! The link, or code, that an app's page shows: `…?t=wld&i={id}&k={key}&b={bridge}`, of any scheme and host.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::Uri;
use zeroize::{Zeroize as _, Zeroizing};

/// A text is no link to a request on a bridge. Copy it again, whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a link to a request: {0}")]
pub struct LinkError(&'static str);

/// Where a request waits, and the key that opens it. `Debug` does not show the key.
pub struct BridgeLink {
    request_id: String,
    key: LinkKey,
    bridge: String,
}

/// 32 bytes: whoever has them reads the request and writes the answer. Wiped when dropped.
pub(super) struct LinkKey(Zeroizing<[u8; 32]>);

impl LinkKey {
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl BridgeLink {
    /// The name of the request: letters, digits, `-`, `_` and `.`.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The address of the bridge: https, or http on this machine.
    pub fn bridge(&self) -> &str {
        &self.bridge
    }

    pub(super) fn key(&self) -> &LinkKey {
        &self.key
    }
}

impl fmt::Debug for BridgeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BridgeLink")
    }
}

impl FromStr for BridgeLink {
    type Err = LinkError;

    /// Of a field that comes twice the first counts, and others are left alone, as in `IDKit`.
    fn from_str(link: &str) -> Result<Self, LinkError> {
        let link = link.trim();
        let (before, _) = link.split_once('#').unwrap_or((link, ""));
        let (_, query) = before.split_once('?').ok_or(LinkError("it asks nothing"))?;
        let field = |name: &str| {
            let mut fields = query.split('&').filter_map(|field| field.split_once('='));
            fields.find(|(found, _)| *found == name).map(|(_, value)| decode(value))
        };
        let of_another_kind = field("t").is_some_and(|kind| kind.is_none_or(|kind| *kind != "wld"));
        if of_another_kind {
            return Err(LinkError("it is of another kind"));
        }
        let request_id =
            field("i").flatten().filter(|id| is_request_id(id)).ok_or(LinkError("its id (i) is none"))?;
        let key = field("k").flatten().and_then(|text| key(&text)).ok_or(LinkError("its key (k) is none"))?;
        let bridge = field("b").flatten().ok_or(LinkError("it names no bridge (b)"))?;
        check_bridge(&bridge)?;
        Ok(Self { request_id: request_id.to_string(), key, bridge: bridge.to_string() })
    }
}

/// What a bridge may have given. It becomes a part of an address, so that nothing else may.
fn is_request_id(id: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (16..=256).contains(&id.len()) && id.bytes().all(known) && id.bytes().any(|byte| byte != b'.')
}

fn key(text: &str) -> Option<LinkKey> {
    // A `+` that nobody has escaped reads as a blank in a query, and there are no blanks in base64.
    let text = Zeroizing::new(text.replace(' ', "+"));
    let mut bytes = Zeroizing::new(STANDARD.decode(&*text).ok()?);
    let key = <[u8; 32]>::try_from(&bytes[..]).ok().map(|key| LinkKey(Zeroizing::new(key)));
    bytes.zeroize();
    key
}

/// Elsewhere than on this machine anyone on the way could hold answers back, or put in their own.
fn check_bridge(bridge: &str) -> Result<(), LinkError> {
    let uri: Uri = bridge.parse().map_err(|_| LinkError("its bridge (b) is no address"))?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&uri.host().unwrap_or_default());
    let is_safe = uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && is_here);
    if !is_safe || authority.contains('@') || uri.query().is_some() {
        return Err(LinkError("its bridge (b) has no https address"));
    }
    Ok(())
}

/// A value of a query (URL standard, `application/x-www-form-urlencoded`).
fn decode(value: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'%' => {
                let (high, after) = rest.split_first()?;
                let (low, after) = after.split_first()?;
                rest = after;
                let digit = |byte: u8| char::from(byte).to_digit(16);
                (digit(*high)? * 16 + digit(*low)?) as u8
            }
            b'+' => b' ',
            other => *other,
        });
    }
    String::from_utf8(std::mem::take(&mut *bytes)).ok().map(Zeroizing::new)
}
