//! The operator's proxy, through which all connections go when there is one.
//!
//! It is asked for a tunnel to an address, never to a name, so what was judged is what is connected to. The proxy's own
//! address is the operator's and is not judged.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

/// The largest head of the proxy's answer.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// A proxy that opens tunnels. Debugging shows no credentials.
#[derive(Clone, Debug)]
pub struct Proxy {
    host: String,
    port: u16,
    /// The value of `proxy-authorization`.
    authorization: Option<SecretString>,
}

/// Why a text is no proxy. Nothing of the text is repeated, because it may hold credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not a URL at all.
    #[error("the proxy is not a URL")]
    Syntax(#[source] url::ParseError),
    /// Something else than `http://` in front: the proxy is spoken to in plain text.
    #[error("the proxy must start with http://")]
    Scheme,
    /// No host, or the port that nothing listens on.
    #[error("the proxy must have a host and a port")]
    Address,
    /// A path, a query or a fragment.
    #[error("the proxy must consist of credentials, host and port only")]
    Surplus,
    /// A user name that the proxy could not tell from the password.
    #[error("the proxy's user name must not contain a colon")]
    UserName,
}

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    #[error("connecting to the proxy failed")]
    Connect(#[source] io::Error),
    #[error("the proxy took too long")]
    TimedOut,
    #[error("the connection to the proxy broke")]
    Broken(#[source] io::Error),
    #[error("the proxy closed the connection")]
    Closed,
    #[error("the head of the proxy's answer is too large")]
    TooLarge,
    #[error("the proxy did not answer in HTTP/1")]
    NotHttp,
    #[error("the proxy answered {0}")]
    Refused(u16),
    #[error("the proxy sent more than the head of its answer")]
    Surplus,
}

impl Proxy {
    /// Reads a proxy written as `http://user:password@host:port`; credentials and port 80 may be left out.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text).map_err(ProxyError::Syntax)?;
        if url.scheme() != "http" {
            return Err(ProxyError::Scheme);
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(ProxyError::Surplus);
        }
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(ProxyError::Address),
        };
        let port = url.port().unwrap_or(80);
        if port == 0 {
            return Err(ProxyError::Address);
        }
        let authorization = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(basic(user, password.unwrap_or_default())?),
        };
        Ok(Self { host, port, authorization })
    }

    /// Its host, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Opens a connection that the proxy carries to `target`.
    pub(super) async fn tunnel(&self, target: SocketAddr, within: Duration) -> Result<TcpStream, TunnelError> {
        timeout(within, self.open(target)).await.map_err(|_| TunnelError::TimedOut)?
    }

    async fn open(&self, target: SocketAddr) -> Result<TcpStream, TunnelError> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let mut stream = connecting.await.map_err(TunnelError::Connect)?;
        stream.set_nodelay(true).map_err(TunnelError::Connect)?;
        stream.write_all(self.question(target).as_bytes()).await.map_err(TunnelError::Broken)?;

        let mut answer = Vec::with_capacity(256);
        let mut chunk = [0; 1024];
        let head_end = loop {
            if let Some(end) = answer.windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
            if answer.len() >= MAX_HEAD_BYTES {
                return Err(TunnelError::TooLarge);
            }
            match stream.read(&mut chunk).await.map_err(TunnelError::Broken)? {
                0 => return Err(TunnelError::Closed),
                count => answer.extend_from_slice(&chunk[..count]),
            }
        };
        match status(&answer) {
            Some(200) if answer.len() == head_end => Ok(stream),
            // The target speaks second, so this is not the target's.
            Some(200) => Err(TunnelError::Surplus),
            Some(status) => Err(TunnelError::Refused(status)),
            None => Err(TunnelError::NotHttp),
        }
    }

    fn question(&self, target: SocketAddr) -> String {
        let authorization = match &self.authorization {
            Some(value) => format!("proxy-authorization: {}\r\n", value.expose_secret()),
            None => String::new(),
        };
        format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{authorization}\r\n")
    }
}

fn basic(user: &str, password: &str) -> Result<SecretString, ProxyError> {
    let mut credentials = decoded(user);
    if credentials.contains(&b':') {
        return Err(ProxyError::UserName);
    }
    credentials.push(b':');
    credentials.extend(decoded(password));
    Ok(format!("Basic {}", STANDARD.encode(credentials)).into())
}

/// Undoes the percent-encoding that a URL puts on credentials.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let mut byte = [0];
        match after.get(..2) {
            Some(digits) if *first == b'%' && hex::decode_to_slice(digits, &mut byte).is_ok() => {
                bytes.push(byte[0]);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| matches!(*version, "HTTP/1.0" | "HTTP/1.1"))?;
    words.next().filter(|code| code.len() == 3)?.parse().ok()
}
