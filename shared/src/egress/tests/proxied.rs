//! A proxy on loopback that shows what it was asked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the proxy does once it was asked for a tunnel.
#[derive(Clone)]
pub(super) enum Carrying {
    /// Opens the tunnel.
    Faithfully,
    /// Says that it did, and keeps what comes then.
    Nowhere,
    /// Answers with these bytes and closes the connection.
    Refusing(Vec<u8>),
    /// Never answers.
    Silently,
}

pub(super) struct Proxying {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<String>>>,
    swallowed: Arc<Mutex<Vec<u8>>>,
}

impl Proxying {
    pub(super) async fn start(carrying: Carrying) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            accepted: Arc::default(),
            asked: Arc::default(),
            swallowed: Arc::default(),
        };
        let (accepted, asked, swallowed) =
            (Arc::clone(&proxy.accepted), Arc::clone(&proxy.asked), Arc::clone(&proxy.swallowed));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, carrying.clone(), Arc::clone(&asked), Arc::clone(&swallowed)));
            }
        });
        proxy
    }

    /// How many connections were opened.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The heads of the requests for tunnels.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What came after the answer and was carried nowhere.
    pub(super) fn swallowed(&self) -> Vec<u8> {
        self.swallowed.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    carrying: Carrying,
    asked: Arc<Mutex<Vec<String>>>,
    swallowed: Arc<Mutex<Vec<u8>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    asked.lock().unwrap().push(head);
    match carrying {
        Carrying::Faithfully => {
            let mut onward = TcpStream::connect(target).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\nvia: 1.1 proxy\r\n\r\n").await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        }
        Carrying::Nowhere => {
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await.unwrap();
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await.unwrap_or(0);
            swallowed.lock().unwrap().extend_from_slice(&chunk[..count]);
        }
        Carrying::Refusing(answer) => {
            let _ = stream.write_all(&answer).await;
        }
        // Waits for the other side to give up.
        Carrying::Silently => {
            let _ = stream.read(&mut [0]).await;
        }
    }
}
