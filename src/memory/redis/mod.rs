//! Conversations in Redis (or Valkey), for several servers that share them.
//!
//! One connection carries the requests of all calls at once (they are answered in order, so a pool of several would only
//! help requests that block, of which there are none); it is made anew when it breaks, and a request that was under way
//! then is sent once more. Each change is one script, so it happens whole or not at all. Keys live as long as the age
//! limit says, even if no server is there to delete them.
//!
//! `PREFIX:{id}:fields` is a hash, `PREFIX:{id}:items` a list, `PREFIX:touches` a sorted set of all ids. A cluster is not
//! supported: that set is in another slot. Neither is TLS: a server elsewhere is reached through a tunnel.

use std::time::Duration;

use async_trait::async_trait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, FromRedisValue, RedisError, RedisResult, Script};

use super::conversation::{Conversation, Item, Limits, Summary, bounded};
use super::{ConversationId, MOST_LISTED, Store, StoreError, valid_id};

const CONNECT: Duration = Duration::from_secs(3);
const RESPONSE: Duration = Duration::from_secs(3);
/// Attempts to connect before a request fails, the first of them after so long.
const RETRIES: usize = 3;
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Conversations that are looked at in one step when the old ones are deleted.
const STEP: usize = 500;

pub struct RedisStore {
    connection: ConnectionManager,
    prefix: String,
    limits: Limits,
    save: Script,
    delete: Script,
}

impl RedisStore {
    /// `url`: `redis://[user:password@]host:port/number` or `unix:///path`. Fails if there is no server.
    pub async fn open(url: &str, prefix: &str, limits: Limits) -> Result<Self, StoreError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(RESPONSE))
            .set_number_of_retries(RETRIES)
            .set_min_delay(RETRY_AFTER);
        let connection = ConnectionManager::new_with_config(Client::open(url)?, config).await?;
        let save = Script::new(include_str!("save.lua"));
        let delete = Script::new(include_str!("delete.lua"));
        Ok(Self { connection, prefix: prefix.to_owned(), limits, save, delete })
    }

    fn keys(&self, id: &ConversationId) -> [String; 3] {
        let (prefix, id) = (&self.prefix, id.as_str());
        [format!("{prefix}:{{{id}}}:fields"), format!("{prefix}:{{{id}}}:items"), format!("{prefix}:touches")]
    }

    async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[String],
    ) -> RedisResult<T> {
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(key);
        }
        for argument in arguments {
            invocation.arg(argument);
        }
        let mut connection = self.connection.clone();
        match invocation.invoke_async(&mut connection).await {
            Err(error) if is_broken(&error) => invocation.invoke_async(&mut connection).await,
            result => result,
        }
    }

    async fn delete_if_older(&self, id: &ConversationId, oldest: &str) -> Result<bool, StoreError> {
        let arguments = [id.as_str().to_owned(), oldest.to_owned()];
        Ok(self.script::<u64>(&self.delete, &self.keys(id), &arguments).await? > 0)
    }

    async fn touched_before(&self, before: u64, most: usize) -> RedisResult<Vec<ConversationId>> {
        let mut connection = self.connection.clone();
        let key = format!("{}:touches", self.prefix);
        // "(": less than.
        let before = format!("({before}");
        let mut found: RedisResult<Vec<String>> =
            connection.zrangebyscore_limit(&key, "-inf", &before, 0, most as isize).await;
        if found.as_ref().is_err_and(is_broken) {
            found = connection.zrangebyscore_limit(&key, "-inf", &before, 0, most as isize).await;
        }
        Ok(found?.iter().filter_map(|id| valid_id(id, true).ok()).collect())
    }
}

/// The connection is gone, not the request wrong. All requests may be carried out twice: a script's second run finds the
/// token of its first.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_connection_dropped() || error.is_timeout()
}

type Fields = (Option<u64>, Option<u64>, Option<u64>, Option<String>, Option<u64>);

#[async_trait]
impl Store for RedisStore {
    async fn save(
        &self,
        id: &ConversationId,
        items: Vec<Item>,
        summary: Option<Summary>,
        now: u64,
    ) -> Result<u64, StoreError> {
        let limits = self.limits;
        let (text, upto) = match &summary {
            Some(summary) => (bounded(&summary.text), summary.upto.to_string()),
            None => ("", String::new()),
        };
        let mut arguments = vec![
            id.as_str().to_owned(),
            now.to_string(),
            limits.oldest(now).to_string(),
            limits.age_seconds.to_string(),
            limits.items.to_string(),
            limits.bytes.to_string(),
            rand::random::<u128>().to_string(),
            text.to_owned(),
            upto,
        ];
        for item in items {
            let item = Item { text: bounded(&item.text).to_owned(), ..item };
            let json = serde_json::to_string(&item).map_err(|error| StoreError::Unreadable(error.to_string()))?;
            arguments.push(format!("{} {json}", item.text.len()));
        }
        Ok(self.script(&self.save, &self.keys(id), &arguments).await?)
    }

    async fn load(&self, id: &ConversationId, now: u64) -> Result<Option<Conversation>, StoreError> {
        let [fields, items, _] = self.keys(id);
        let mut both = redis::pipe();
        both.atomic().hmget(&fields, &["created", "touched", "next", "summary", "upto"]).lrange(&items, 0, -1);
        let mut connection = self.connection.clone();
        let mut found: RedisResult<(Fields, Vec<String>)> = both.query_async(&mut connection).await;
        if found.as_ref().is_err_and(is_broken) {
            found = both.query_async(&mut connection).await;
        }
        let ((created, touched, next, summary, upto), items) = found?;
        let (Some(created), Some(touched), Some(next)) = (created, touched, next) else { return Ok(None) };
        if touched < self.limits.oldest(now) {
            return Ok(None);
        }
        let items = items.iter().map(|item| parse(item)).collect::<Result<Vec<Item>, StoreError>>()?;
        let summary = summary.zip(upto).map(|(text, upto)| Summary { text, upto });
        let first = next.saturating_sub(items.len() as u64);
        Ok(Some(Conversation { first, items, summary, created, touched }))
    }

    async fn delete(&self, id: &ConversationId) -> Result<bool, StoreError> {
        self.delete_if_older(id, "").await
    }

    async fn older_than(&self, before: u64) -> Result<Vec<ConversationId>, StoreError> {
        Ok(self.touched_before(before, MOST_LISTED).await?)
    }

    async fn expire(&self, now: u64) -> Result<usize, StoreError> {
        let oldest = self.limits.oldest(now);
        let mut deleted = 0;
        loop {
            // Each of them leaves the set or gets a later place in it, so this ends.
            let ids = self.touched_before(oldest, STEP).await?;
            if ids.is_empty() {
                return Ok(deleted);
            }
            for id in ids {
                deleted += usize::from(self.delete_if_older(&id, &oldest.to_string()).await?);
            }
        }
    }
}

fn parse(item: &str) -> Result<Item, StoreError> {
    let json = item.split_once(' ').map_or(item, |(_, json)| json);
    serde_json::from_str(json).map_err(|error| StoreError::Unreadable(error.to_string()))
}
