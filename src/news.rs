//! What happens in the server, told to whoever listens: one room, many readers, and nobody waits for them.
//!
//! Posting costs a look at a counter while nobody reads. A reader that falls more than [`KEPT`] behind loses the oldest
//! and is told how many.

use std::sync::Arc;

use futures::{Stream, stream};
use signaling::News;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// News that are kept for a slow reader.
pub const KEPT: usize = 256;

pub struct Newsroom(broadcast::Sender<Arc<News>>);

impl Default for Newsroom {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl Newsroom {
    /// Tells all readers; the news is only made if there are any.
    pub fn post(&self, news: impl FnOnce() -> News) {
        if self.0.receiver_count() > 0 {
            // Who went meanwhile misses nothing.
            let _ = self.0.send(Arc::new(news()));
        }
    }

    /// What is posted from now on.
    pub fn read(&self) -> impl Stream<Item = News> + Send + use<> {
        stream::unfold(self.0.subscribe(), async |mut room| {
            let news = match room.recv().await {
                Ok(news) => Arc::unwrap_or_clone(news),
                Err(RecvError::Lagged(missed)) => News::Lagged { missed },
                Err(RecvError::Closed) => return None,
            };
            Some((news, room))
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    fn refused(reason: usize) -> News {
        News::CallRefused { reason: reason.to_string() }
    }

    #[tokio::test]
    async fn readers_hear_all_that_is_posted_after_they_came() {
        let room = Newsroom::default();
        room.post(|| panic!("nobody reads"));
        let (one, other) = (room.read(), room.read());
        room.post(|| refused(1));
        drop(room);
        let (one, other): (Vec<_>, Vec<_>) = tokio::join!(one.collect(), other.collect());
        assert_eq!(one, [refused(1)]);
        assert_eq!(one, other);
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_missed_and_holds_nobody_up() {
        let room = Newsroom::default();
        let reader = room.read();
        for n in 0..KEPT + 10 {
            room.post(|| refused(n));
        }
        drop(room);
        let read: Vec<_> = reader.collect().await;
        assert_eq!(read[0], News::Lagged { missed: 10 });
        assert_eq!((&read[1], read.len()), (&refused(10), KEPT + 1));
    }
}
