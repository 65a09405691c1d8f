//! A face's folder is written as a whole or not at all: into a folder beside it, which is then renamed.

use std::fmt::Display;
use std::path::Path;

/// Makes `folder` of what `write` puts into the folder that it is given; nothing is left of a failure. `failed` makes an
/// error of what the file system says.
pub(super) fn written<E>(
    folder: &Path,
    failed: impl Fn(&dyn Display) -> E,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(failed(&"it has no name or no parent"));
    };
    let partial = parent.join(format!(".{}.partial", name.to_string_lossy()));
    if partial.exists() {
        std::fs::remove_dir_all(&partial).map_err(|error| failed(&error))?;
    }
    std::fs::create_dir_all(&partial).map_err(|error| failed(&error))?;
    let written = write(&partial).and_then(|()| std::fs::rename(&partial, folder).map_err(|error| failed(&error)));
    if written.is_err() {
        // What is left of it helps nobody; the first failure is the one to tell.
        let _ = std::fs::remove_dir_all(&partial);
    }
    written
}
