//! Portraits that people sent: as many as [`MOST`], each under a name that nobody guesses and no list tells.
//!
//! They lie in a folder of their own within the avatars' one. What was not asked for longest goes when there are more.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::DESCRIPTION;
use crate::clock;

/// Within the folder of avatars.
const FOLDER: &str = "sent";
/// What such a name begins with.
const PREFIX: &str = "sent_";
const MOST: usize = 100;

/// A name that was not given yet.
pub(super) fn name() -> String {
    format!("{PREFIX}{:032x}", rand::random::<u128>())
}

/// True of a name that [`name`] may have made.
pub(super) fn is_sent(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == 32 && rest.chars().all(|c| c.is_ascii_hexdigit()))
}

/// Where they lie.
pub(super) fn folder(avatars: &Path) -> PathBuf {
    avatars.join(FOLDER)
}

/// Notes that somebody asked for it.
pub(super) fn used(folder: &Path, name: &str) {
    let touched = std::fs::File::options().append(true).open(folder.join(name).join(DESCRIPTION));
    if let Err(error) =
        touched.and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(clock::unix_seconds())))
    {
        tracing::debug!(%error, name, "a portrait keeps its age");
    }
}

/// Makes room for one more.
pub(super) fn make_room(folder: &Path) -> io::Result<()> {
    let mut all: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_sent) {
            let used = std::fs::metadata(entry.path().join(DESCRIPTION)).and_then(|file| file.modified());
            all.push((used.unwrap_or(SystemTime::UNIX_EPOCH), entry.path()));
        }
    }
    all.sort();
    let surplus = (all.len() + 1).saturating_sub(MOST);
    all.iter().take(surplus).try_for_each(|(_, path)| std::fs::remove_dir_all(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_those_of_people() {
        let name = name();
        assert!(is_sent(&name) && name != super::name());
        assert!(!is_sent("sent_by_mum") && !is_sent("woman"));
    }

    #[test]
    fn what_was_not_asked_for_longest_goes() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let names: Vec<String> = (0..MOST).map(|_| name()).collect();
        for (age, name) in names.iter().enumerate() {
            std::fs::create_dir(folder.path().join(name))?;
            let file = std::fs::File::create(folder.path().join(name).join(DESCRIPTION))?;
            file.set_modified(long_ago + Duration::from_secs(age as u64))?;
        }
        used(folder.path(), &names[0]);
        make_room(folder.path())?;
        assert!(folder.path().join(&names[0]).exists());
        assert!(!folder.path().join(&names[1]).exists());
        assert_eq!(std::fs::read_dir(folder.path())?.count(), MOST - 1);
        make_room(folder.path())?;
        assert_eq!(std::fs::read_dir(folder.path())?.count(), MOST - 1);
        Ok(())
    }
}
