//! Which files of a folder are pages, and whether they changed. Reads names and stamps, no contents.
//!
//! Names that begin with a dot are passed over (version control, editors' copies). A link is followed only if what it
//! leads to lies in the folder, and nothing is entered twice, so links make neither holes nor loops.

use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Folders within folders.
const DEEPEST: usize = 16;
/// Files that are looked at; a folder with more was hardly meant.
const MOST_FILES: usize = 20_000;

/// Changes when a file's contents may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub bytes: u64,
    inode: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(data: &Metadata) -> Self {
        Self {
            bytes: data.len(),
            inode: data.ino(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }
}

/// What lies in a folder. Names are paths relative to it, with `/`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Files that may be pages.
    pub pages: BTreeMap<String, Found>,
    /// Files that are none, with the reason.
    pub left_out: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub stamp: Stamp,
}

/// How a page is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Markdown,
    Plain,
}

impl Form {
    pub fn of(name: &str) -> Option<Self> {
        let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "md" | "markdown" | "mdx" => Some(Self::Markdown),
            "txt" | "text" => Some(Self::Plain),
            _ => None,
        }
    }
}

/// Lists `root`, which must be a canonical path. Only the root itself can fail.
pub fn list(root: &Path) -> io::Result<Listing> {
    let entered = HashSet::from([root.to_owned()]);
    let mut walk = Walk { root, found: BTreeMap::new(), left_out: BTreeMap::new(), entered, files: 0 };
    walk.folder(root, "", 0)?;
    let pages = walk.found.into_iter().map(|(path, page)| (page.name, Found { path, stamp: page.stamp }));
    Ok(Listing { pages: pages.collect(), left_out: walk.left_out })
}

struct Walk<'a> {
    root: &'a Path,
    /// By canonical path.
    found: BTreeMap<PathBuf, Page>,
    left_out: BTreeMap<String, String>,
    /// Canonical paths of folders.
    entered: HashSet<PathBuf>,
    files: usize,
}

struct Page {
    name: String,
    stamp: Stamp,
    is_link: bool,
}

impl Walk<'_> {
    fn folder(&mut self, path: &Path, name: &str, depth: usize) -> io::Result<()> {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let file_name = entry.file_name();
            let file_name = file_name.to_string_lossy();
            if file_name.starts_with('.') {
                continue;
            }
            let name = if name.is_empty() { file_name.into_owned() } else { format!("{name}/{file_name}") };
            if self.files == MOST_FILES {
                self.leave_out(name, &format!("there are more than {MOST_FILES} files"));
                return Ok(());
            }
            self.files += 1;
            if let Err(reason) = self.entry(&entry.path(), &name, depth) {
                self.leave_out(name, &reason);
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: &str, depth: usize) -> Result<(), String> {
        let unreadable = |error: io::Error| format!("it cannot be read: {error}");
        let is_link = fs::symlink_metadata(path).map_err(unreadable)?.is_symlink();
        // Follows links, also through folders of the path.
        let real = fs::canonicalize(path).map_err(unreadable)?;
        if !real.starts_with(self.root) {
            return Err("it is a link that leads out of the folder".into());
        }
        let data = fs::metadata(&real).map_err(unreadable)?;
        if data.is_dir() {
            if depth == DEEPEST {
                return Err(format!("folders lie more than {DEEPEST} deep"));
            }
            return match self.entered.insert(real.clone()) {
                true => self.folder(&real, name, depth + 1).map_err(unreadable),
                false => Ok(()),
            };
        }
        if !data.is_file() {
            return Err("it is no regular file".into());
        }
        if Form::of(name).is_none() {
            return Err("it is neither Markdown (.md) nor text (.txt)".into());
        }
        let page = Page { name: name.to_owned(), stamp: Stamp::of(&data), is_link };
        match self.found.entry(real) {
            Entry::Vacant(place) => {
                place.insert(page);
            }
            // Its own name goes before a link's.
            Entry::Occupied(mut place) if place.get().is_link && !is_link => {
                place.insert(page);
            }
            Entry::Occupied(_) => {}
        }
        Ok(())
    }

    fn leave_out(&mut self, name: String, reason: &str) {
        self.left_out.insert(name, reason.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn root() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        (folder, root)
    }

    #[test]
    fn pages_are_found_in_folders_and_what_is_none_is_named() {
        let (_folder, root) = root();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        for name in ["a/b/deep.MD", "top.txt", ".git/config.txt", ".hidden.md", "photo.jpg"] {
            fs::write(root.join(name), "x").unwrap();
        }
        let listing = list(&root).unwrap();
        assert_eq!(listing.pages.keys().collect::<Vec<_>>(), ["a/b/deep.MD", "top.txt"]);
        assert_eq!(listing.left_out.keys().collect::<Vec<_>>(), ["photo.jpg"]);
    }

    #[test]
    fn links_neither_leave_the_folder_nor_go_in_circles() {
        let (_folder, root) = root();
        let (_other, elsewhere) = self::root();
        fs::write(elsewhere.join("secret.md"), "x").unwrap();
        fs::create_dir(root.join("real")).unwrap();
        fs::write(root.join("real/page.md"), "x").unwrap();
        symlink(elsewhere.join("secret.md"), root.join("secret.md")).unwrap();
        symlink(&elsewhere, root.join("outside")).unwrap();
        symlink(&root, root.join("real/circle")).unwrap();
        symlink(root.join("real/page.md"), root.join("again.md")).unwrap();
        symlink(root.join("nowhere"), root.join("broken.md")).unwrap();
        let listing = list(&root).unwrap();
        assert_eq!(listing.pages.keys().collect::<Vec<_>>(), ["real/page.md"]);
        assert_eq!(listing.left_out.keys().collect::<Vec<_>>(), ["broken.md", "outside", "secret.md"]);
    }

    #[test]
    fn a_link_to_a_folder_inside_is_entered_once() {
        let (_folder, root) = root();
        fs::create_dir_all(root.join(".store/pages")).unwrap();
        fs::write(root.join(".store/pages/page.md"), "x").unwrap();
        symlink(root.join(".store/pages"), root.join("current")).unwrap();
        symlink(root.join(".store/pages"), root.join("second")).unwrap();
        let listing = list(&root).unwrap();
        assert_eq!(listing.pages.keys().collect::<Vec<_>>(), ["current/page.md"]);
    }

    #[test]
    fn pages_laid_out_by_links_to_hidden_folders_are_found() {
        // As Kubernetes mounts a ConfigMap.
        let (_folder, root) = root();
        fs::create_dir(root.join("..2026_01")).unwrap();
        fs::write(root.join("..2026_01/page.md"), "x").unwrap();
        symlink("..2026_01", root.join("..data")).unwrap();
        symlink("..data/page.md", root.join("page.md")).unwrap();
        assert_eq!(list(&root).unwrap().pages.keys().collect::<Vec<_>>(), ["page.md"]);
    }

    #[test]
    fn a_pipe_is_never_opened() {
        let (_folder, root) = root();
        let status = std::process::Command::new("mkfifo").arg(root.join("pipe.md")).status().unwrap();
        assert!(status.success());
        let listing = list(&root).unwrap();
        assert!(listing.pages.is_empty());
        assert!(listing.left_out["pipe.md"].contains("regular"));
    }
}
