//! A target on loopback that answers with exact bytes and counts what reaches it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the target does.
#[derive(Clone)]
pub(super) enum Behaviour {
    /// Answers every request with these bytes and waits for the next one.
    Answers(Vec<u8>),
    /// Answers the first request with these bytes and closes the connection.
    AnswersAndCloses(Vec<u8>),
    /// Answers with these bytes, then with one byte after another for ever.
    Drips(Vec<u8>),
    /// Writes these bytes before it has been asked anything.
    Greets(Vec<u8>),
    /// Reads and never answers.
    StaysSilent,
}

pub(super) struct Target {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<String>>>,
}

impl Target {
    pub(super) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target =
            Self { address: listener.local_addr().unwrap(), accepted: Arc::default(), received: Arc::default() };
        let (accepted, received) = (Arc::clone(&target.accepted), Arc::clone(&target.received));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, behaviour.clone(), Arc::clone(&received)));
            }
        });
        target
    }

    /// How many connections were opened.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The requests as they came, heads and bodies.
    pub(super) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, received: Arc<Mutex<Vec<String>>>) {
    if let Behaviour::Greets(bytes) = &behaviour {
        let _ = stream.write_all(bytes).await;
    }
    let mut unread = Vec::new();
    while let Some(request) = next_request(&mut stream, &mut unread).await {
        received.lock().unwrap().push(request);
        let answer = match &behaviour {
            Behaviour::Answers(answer) | Behaviour::AnswersAndCloses(answer) | Behaviour::Drips(answer) => {
                answer.as_slice()
            }
            Behaviour::Greets(_) | Behaviour::StaysSilent => &[],
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
        match behaviour {
            Behaviour::AnswersAndCloses(_) => return,
            Behaviour::Drips(_) => return drip(stream).await,
            Behaviour::Answers(_) | Behaviour::Greets(_) | Behaviour::StaysSilent => {}
        }
    }
}

async fn drip(mut stream: TcpStream) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    loop {
        ticks.tick().await;
        if stream.write_all(b".").await.is_err() {
            return;
        }
    }
}

/// Reads one request, or `None` when the connection has ended.
async fn next_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(length) = request_length(unread) {
            let request: Vec<u8> = unread.drain(..length).collect();
            return Some(String::from_utf8(request).unwrap());
        }
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
}

/// The length of the request at the front, once all of it is there.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let body: usize = std::str::from_utf8(&bytes[..head])
        .unwrap()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    (bytes.len() >= head + body).then_some(head + body)
}
