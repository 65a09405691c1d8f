//! Files that are either whole or not there: hashing, and writing beside before renaming.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::ModelError;

/// A writer that hashes and counts what goes through it.
pub struct Hashing<W> {
    inner: W,
    hash: Sha256,
    pub bytes: u64,
}

impl<W: Write> Hashing<W> {
    pub fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    pub fn finish(self) -> (W, String) {
        (self.inner, hex(&self.hash.finalize()))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.hash.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lower-case hexadecimal SHA-256 of a file.
pub fn sha256(path: &Path) -> Result<String, ModelError> {
    let file = File::open(path).map_err(ModelError::io("open", path))?;
    let mut sink = Hashing::new(io::sink());
    copy(file, &mut sink).map_err(ModelError::io("read", path))?;
    Ok(sink.finish().1)
}

/// Like [`io::copy`], with a buffer that suits hundreds of megabytes.
pub fn copy(from: impl Read, to: &mut impl Write) -> io::Result<u64> {
    io::copy(&mut BufReader::with_capacity(1 << 20, from), to)
}

/// Moves a finished file into place: its bytes are on the disk before its name is.
pub fn put_in_place(from: &Path, to: &Path) -> Result<(), ModelError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all()).map_err(ModelError::io("write", path));
    let folder = to.parent().unwrap_or(to);
    sync(from)?;
    fs::create_dir_all(folder).map_err(ModelError::io("create", folder))?;
    fs::rename(from, to).map_err(ModelError::io("move a finished file to", to))?;
    sync(folder)
}

/// Removes a file or folder that may not be there.
pub fn remove(path: &Path) -> Result<(), ModelError> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ModelError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_fips_180() {
        let mut writer = Hashing::new(Vec::new());
        writer.write_all(b"abc").unwrap();
        assert_eq!(writer.bytes, 3);
        let (inner, hash) = writer.finish();
        assert_eq!(inner, b"abc");
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
