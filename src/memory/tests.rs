//! One suite for all three stores, and what is particular to each. Redis is a real server, started here.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;

use super::*;
use crate::metrics::Metrics;

const LIMITS: Limits = Limits { items: 6, bytes: 200, age_seconds: 1000 };
const NOW: u64 = 1_800_000_000;

fn sqlite(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, LIMITS, &Metrics::new().queues)
}

fn id(name: &str) -> ConversationId {
    valid_id(name, true).unwrap()
}

fn said(role: Role, text: &str, at: u64) -> Item {
    Item { role, text: text.into(), at, cut: false }
}

fn turn(question: &str, answer: &str) -> Vec<Item> {
    vec![said(Role::User, question, NOW), said(Role::Assistant, answer, NOW + 1)]
}

fn texts(conversation: &Conversation) -> Vec<&str> {
    conversation.items.iter().map(|item| item.text.as_str()).collect()
}

/// What every store must do.
async fn suite(store: &dyn Store) {
    // What was saved comes back as it was.
    let ada = id("ada");
    assert_eq!(store.load(&ada, NOW).await.unwrap(), None);
    let mut first = turn("Hello \"you\"\n你好 👋", "Hi.");
    first[1].cut = true;
    assert_eq!(store.save(&ada, first.clone(), None, NOW).await.unwrap(), 2);
    let loaded = store.load(&ada, NOW).await.unwrap().unwrap();
    assert_eq!(loaded, Conversation { first: 0, items: first, summary: None, created: NOW, touched: NOW });

    // It goes on, and others are not touched by it.
    let bob = id("bob");
    store.save(&bob, turn("Bob", "here"), None, NOW + 5).await.unwrap();
    assert_eq!(store.save(&ada, turn("And", "so"), None, NOW + 7).await.unwrap(), 4);
    let loaded = store.load(&ada, NOW + 8).await.unwrap().unwrap();
    assert_eq!(texts(&loaded), ["Hello \"you\"\n你好 👋", "Hi.", "And", "so"]);
    assert_eq!((loaded.created, loaded.touched), (NOW, NOW + 7));
    assert_eq!(texts(&store.load(&bob, NOW + 8).await.unwrap().unwrap()), ["Bob", "here"]);

    // A clock that was set back does not make it older.
    store.save(&ada, vec![], None, NOW).await.unwrap();
    assert_eq!(store.load(&ada, NOW + 8).await.unwrap().unwrap().touched, NOW + 7);

    // The oldest items go, by number and by length; the summary stays and a new one takes its place.
    let notes = |text: &str, upto| Some(Summary { text: text.into(), upto });
    store.save(&ada, turn("5", "6"), notes("They greeted.", 2), NOW + 10).await.unwrap();
    store.save(&ada, turn("7", "8"), None, NOW + 11).await.unwrap();
    let loaded = store.load(&ada, NOW + 12).await.unwrap().unwrap();
    assert_eq!(texts(&loaded), ["And", "so", "5", "6", "7", "8"]);
    assert_eq!((loaded.first, loaded.next(), loaded.summary.clone()), (2, 8, notes("They greeted.", 2)));
    store.save(&ada, vec![said(Role::User, &"x".repeat(198), NOW)], notes("More.", 8), NOW + 13).await.unwrap();
    let loaded = store.load(&ada, NOW + 14).await.unwrap().unwrap();
    assert_eq!(loaded.items.len(), 3);
    assert_eq!((loaded.next(), loaded.rest().len(), loaded.summary.clone()), (9, 1, notes("More.", 8)));
    // One item stays even if it is over the limit, and is cut to what one may have.
    store.save(&ada, vec![said(Role::System, &"汉".repeat(10_000), NOW)], None, NOW + 15).await.unwrap();
    let loaded = store.load(&ada, NOW + 16).await.unwrap().unwrap();
    assert_eq!((loaded.first, loaded.items.len(), loaded.items[0].text.len()), (9, 1, 5461 * 3));

    // Those before a time, the oldest first.
    assert_eq!(store.older_than(NOW + 5).await.unwrap(), []);
    assert_eq!(store.older_than(NOW + 6).await.unwrap(), std::slice::from_ref(&bob));
    assert_eq!(store.older_than(NOW + 16).await.unwrap(), [bob.clone(), ada.clone()]);

    // One that is too old is gone at once, even before it is deleted; who comes back then begins anew.
    let late = NOW + 5 + LIMITS.age_seconds;
    assert!(store.load(&bob, late).await.unwrap().is_some());
    assert_eq!(store.load(&bob, late + 1).await.unwrap(), None);
    assert_eq!(store.save(&bob, turn("Again", "yes"), None, late + 1).await.unwrap(), 2);
    let anew = store.load(&bob, late + 1).await.unwrap().unwrap();
    assert_eq!((texts(&anew), anew.created, anew.first), (vec!["Again", "yes"], late + 1, 0));
    assert_eq!(store.expire(late + 1).await.unwrap(), 0);
    assert_eq!(store.expire(late + 100).await.unwrap(), 1);
    assert_eq!(store.older_than(u64::MAX).await.unwrap(), std::slice::from_ref(&bob));

    // Deleted for good.
    assert!(store.delete(&bob).await.unwrap());
    assert!(!store.delete(&bob).await.unwrap());
    assert_eq!(store.load(&bob, late).await.unwrap(), None);
    assert_eq!(store.older_than(u64::MAX).await.unwrap(), []);

    // Many at once.
    let ids: Vec<_> = (0..40).map(|n| id(&format!("many-{n}"))).collect();
    let saves = ids.iter().map(|id| store.save(id, turn("a", "b"), None, late));
    assert!(futures::future::join_all(saves).await.into_iter().all(|saved| saved.is_ok_and(|next| next == 2)));
    let same = (0..40).map(|_| store.save(&ids[0], turn("c", "d"), None, late));
    futures::future::join_all(same).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(store.load(&ids[0], late).await.unwrap().unwrap().next(), 82);
    assert_eq!(store.expire(late + 5000).await.unwrap(), 40);
}

#[tokio::test]
async fn in_memory() {
    suite(&VolatileStore::new(LIMITS, 100)).await;
}

#[tokio::test]
async fn in_memory_the_one_least_lately_touched_makes_room() {
    let store = VolatileStore::new(LIMITS, 2);
    for (name, at) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
        store.save(&id(name), turn("x", "y"), None, NOW + at).await.unwrap();
    }
    assert_eq!(store.older_than(u64::MAX).await.unwrap(), [id("a"), id("c")]);
}

#[tokio::test]
async fn in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    suite(&sqlite(&folder.path().join("new/folder/c.db")).unwrap()).await;
}

#[tokio::test]
async fn a_file_is_private_and_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("private/c.db");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let store = sqlite(&path).unwrap();
    store.save(&id("ada"), turn("Hello", "Hi"), None, NOW).await.unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for file in fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    drop(store);
    // One that others may read is closed to them.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let store = sqlite(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(store.load(&id("ada"), NOW).await.unwrap().unwrap().items.len(), 2);
}

#[tokio::test]
async fn what_was_deleted_is_not_in_the_file_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let holds = |secret: &str| {
        fs::read_dir(folder.path()).unwrap().any(|file| {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
        })
    };
    let store = sqlite(&path).unwrap();
    store.save(&id("ada"), turn("my-secret-word", "noted"), None, NOW).await.unwrap();
    store.save(&id("bob"), turn("other-secret", "noted"), None, NOW).await.unwrap();
    assert!(holds("my-secret-word") && holds("other-secret"));
    store.delete(&id("ada")).await.unwrap();
    assert!(!holds("my-secret-word") && holds("other-secret"));
    store.expire(NOW + 5000).await.unwrap();
    assert!(!holds("other-secret"));
}

#[test]
fn files_that_are_not_ours_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let refused = |what: &str| {
        let before = fs::read(&path).unwrap();
        let error = sqlite(&path).map(|_| ()).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), before, "{what} was changed");
        fs::remove_file(&path).unwrap();
        error
    };
    fs::write(&path, "this is a letter, not a database. ".repeat(100)).unwrap();
    assert!(matches!(refused("a letter"), StoreError::Damaged { .. }));
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
    assert!(matches!(refused("another database"), StoreError::Foreign { .. }));

    drop(sqlite(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(refused("a newer file"), StoreError::Newer { found: 99, .. }));

    drop(sqlite(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[4096..length].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let error = refused("a damaged file");
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("c.db") && error.to_string().contains("memory.file"), "{error}");
}

#[tokio::test]
async fn a_file_of_each_older_schema_is_brought_to_the_newest() {
    for version in 0..sqlite::STEPS.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.db");
        let old = Connection::open(&path).unwrap();
        for step in &sqlite::STEPS[..version] {
            old.execute_batch(step).unwrap();
        }
        old.pragma_update(None, "user_version", version as i64).unwrap();
        if version > 0 {
            old.pragma_update(None, "application_id", 0x7669_7376).unwrap();
        }
        drop(old);
        suite(&sqlite(&path).unwrap()).await;
        let version = Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0));
        assert_eq!(version, Ok(sqlite::STEPS.len() as i64));
    }
}

#[tokio::test]
async fn a_full_queue_refuses_and_what_is_in_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let metrics = Metrics::new();
    let store = SqliteStore::open(&path, LIMITS, &metrics.queues).unwrap();
    // Somebody else has the file locked, so that the first request waits and the queue fills.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ids: Vec<_> = (0..300).map(|n| id(&format!("visitor-{n}"))).collect();
    let mut saves: Vec<_> = ids.iter().map(|id| store.save(id, turn("a", "b"), None, NOW)).collect();
    let refused = saves.iter_mut().filter_map(futures::FutureExt::now_or_never).count();
    // 256 wait, and one is under way if the thread has taken it yet.
    assert!((43..=44).contains(&refused), "{refused}");
    let told = metrics.text();
    for line in
        ["visavis_queue_depth{queue=\"memory\"} 256", &format!("visavis_dropped_total{{queue=\"memory\"}} {refused}")]
    {
        assert!(told.contains(line), "no {line} in {told}");
    }
    other.execute_batch("COMMIT").unwrap();
    drop(saves);
    drop(store);
    let written: i64 = other.query_row("SELECT count(*) FROM conversations", [], |row| row.get(0)).unwrap();
    assert_eq!(written, 300 - refused as i64);
}

/// A server of our own on a free port, without files.
struct RedisServer {
    process: Child,
    port: u16,
}

impl RedisServer {
    fn start(port: Option<u16>) -> Self {
        let port = port.unwrap_or_else(|| {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            free.local_addr().unwrap().port()
        });
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp", "--port"])
            .arg(port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is missing: `make test-packages` installs it");
        let mut server = Self { process, port };
        // It says on its output when it is ready.
        let mut output = server.process.stdout.take().unwrap();
        let mut said = Vec::new();
        let mut byte = [0];
        while !said.ends_with(b"Ready to accept connections") {
            assert_eq!(output.read(&mut byte).unwrap(), 1, "redis-server: {}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        // Read on, so that it never waits for us.
        crate::threads::spawn("redis-log", crate::threads::Priority::Model, move || {
            let _ = std::io::copy(&mut output, &mut std::io::sink());
        })
        .unwrap();
        server
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    async fn store(&self) -> RedisStore {
        RedisStore::open(&self.url(), "test", LIMITS).await.unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn in_redis() {
    let server = RedisServer::start(None);
    suite(&server.store().await).await;
}

#[tokio::test]
async fn redis_keys_have_the_prefix_and_live_as_long_as_the_limit_says() {
    let server = RedisServer::start(None);
    let store = server.store().await;
    store.save(&id("ada"), turn("Hello", "Hi"), None, NOW).await.unwrap();
    let client = ::redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut keys: Vec<String> = ::redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    keys.sort();
    assert_eq!(keys, ["test:touches", "test:{ada}:fields", "test:{ada}:items"]);
    for key in &keys[1..] {
        let seconds: u64 = ::redis::cmd("TTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!((1..=LIMITS.age_seconds).contains(&seconds), "{key}: {seconds}");
    }
    // Another prefix is another store.
    let other = RedisStore::open(&server.url(), "other", Limits { age_seconds: 0, ..LIMITS }).await.unwrap();
    assert_eq!(other.load(&id("ada"), NOW).await.unwrap(), None);
    other.save(&id("ada"), turn("Hello", "Hi"), None, NOW).await.unwrap();
    let seconds: i64 = ::redis::cmd("TTL").arg("other:{ada}:fields").query_async(&mut connection).await.unwrap();
    assert_eq!(seconds, -1, "it lives for ever");
}

#[tokio::test]
async fn redis_that_comes_back_is_used_again() {
    let server = RedisServer::start(None);
    let store = server.store().await;
    store.save(&id("ada"), turn("Hello", "Hi"), None, NOW).await.unwrap();
    let port = server.port;
    drop(server);
    // Away: an error, in finite time, not a wait.
    assert!(matches!(store.load(&id("ada"), NOW).await, Err(StoreError::Redis(_))));
    assert!(matches!(store.save(&id("ada"), turn("a", "b"), None, NOW).await, Err(StoreError::Redis(_))));
    let _server = RedisServer::start(Some(port));
    assert_eq!(store.save(&id("ada"), turn("Hello", "Hi"), None, NOW).await.unwrap(), 2);
    assert_eq!(store.load(&id("ada"), NOW).await.unwrap().unwrap().items.len(), 2);
}

#[tokio::test]
async fn redis_connections_that_are_cut_off_lose_nothing_and_double_nothing() {
    let server = RedisServer::start(None);
    let store = server.store().await;
    let client = ::redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for n in 1..=3 {
        let kill = ::redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes").to_owned();
        let killed: u64 = kill.query_async(&mut connection).await.unwrap();
        assert!(killed >= 1);
        assert_eq!(store.save(&id("ada"), turn("a", "b"), None, NOW).await.unwrap(), 2 * n);
    }
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_told_at_the_start() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    let url = format!("redis://127.0.0.1:{port}/0");
    assert!(matches!(RedisStore::open(&url, "test", LIMITS).await, Err(StoreError::Redis(_))));
    let settings = MemorySettings { store: Keep::Redis, redis_url_env: "VISAVIS_UNSET".into(), ..Default::default() };
    let error = open(&settings, &Metrics::new().queues).await.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("VISAVIS_UNSET"), "{error}");
}

#[tokio::test]
async fn the_settings_choose_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let queues = Metrics::new().queues;
    let of = |store| MemorySettings { store, file: folder.path().join("c.db"), ..Default::default() };
    assert!(open(&of(Keep::Nothing), &queues).await.unwrap().is_none());
    for keep in [Keep::Memory, Keep::Sqlite] {
        let store = open(&of(keep), &queues).await.unwrap().unwrap();
        store.save(&id("ada"), turn("a", "b"), None, NOW).await.unwrap();
        assert_eq!(folder.path().join("c.db").exists(), keep == Keep::Sqlite);
    }
}
