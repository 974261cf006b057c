//! What a process writes, kept as it comes.

use std::io::Read;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::watch;

/// Standard output and standard error of a process.
pub(super) struct Output {
    streams: [Arc<Mutex<Vec<u8>>>; 2],
    readers: Vec<JoinHandle<()>>,
    /// How many of the two are still open.
    open: watch::Receiver<usize>,
}

impl Output {
    /// Follows a child whose output is piped, from its start on.
    pub(super) fn of(child: &mut Child) -> Self {
        let (open, watched) = watch::channel(2);
        let open = Arc::new(open);
        let mut output = Self { streams: Default::default(), readers: Vec::new(), open: watched };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        output.follow(0, out.expect("standard output is piped"), &open);
        output.follow(1, err.expect("standard error is piped"), &open);
        output
    }

    fn follow(&mut self, stream: usize, mut from: impl Read + Send + 'static, open: &Arc<watch::Sender<usize>>) {
        let to = Arc::clone(&self.streams[stream]);
        let open = Arc::clone(open);
        self.readers.push(thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut chunk) {
                to.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..length]);
            }
            open.send_modify(|open| *open -= 1);
        }));
    }

    /// Waits until the process has closed both, which it does by ending.
    pub(super) async fn ended(&self) {
        let mut open = self.open.clone();
        // Without a sender nobody reads any more, which is the same.
        let _ = open.wait_for(|open| *open == 0).await;
    }

    /// Waits for the rest of what a process that has ended wrote.
    pub(super) fn finish(&mut self) {
        for reader in self.readers.drain(..) {
            // One that panicked has read what it could.
            let _ = reader.join();
        }
    }

    /// What was written so far: standard output, then standard error.
    pub(super) fn text(&self) -> String {
        let text = |stream: &Arc<Mutex<Vec<u8>>>| {
            String::from_utf8_lossy(&stream.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
        };
        self.streams.iter().map(text).collect()
    }
}
