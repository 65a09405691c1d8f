//! The files of a call: `events.jsonl`, `answer.wav`, `video.h264`, `pictures.csv` and `report.json` in one folder.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

use super::report::CallReport;
use crate::media::MEDIA_HZ;
use crate::peer::caller::Picture;

/// Writes as the call goes on; without a folder nothing is written.
pub(super) struct Output {
    files: Option<Files>,
}

struct Files {
    folder: PathBuf,
    events: BufWriter<File>,
    video: BufWriter<File>,
    pictures: BufWriter<File>,
}

impl Output {
    pub(super) fn new(folder: Option<&Path>) -> anyhow::Result<Self> {
        let Some(folder) = folder else { return Ok(Self { files: None }) };
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let create = |name: &str| -> anyhow::Result<BufWriter<File>> {
            let path = folder.join(name);
            Ok(BufWriter::new(File::create(&path).with_context(|| format!("creating {}", path.display()))?))
        };
        let mut pictures = create("pictures.csv")?;
        writeln!(pictures, "arrival_ms,rtp_timestamp,bytes,key_frame")?;
        Ok(Self {
            files: Some(Files {
                folder: folder.to_owned(),
                events: create("events.jsonl")?,
                video: create("video.h264")?,
                pictures,
            }),
        })
    }

    /// `from` is "server" or "client".
    pub(super) fn event(&mut self, now_ms: f64, from: &str, event: &Value) -> anyhow::Result<()> {
        if let Some(files) = &mut self.files {
            writeln!(files.events, "{}", json!({ "ms": now_ms.round(), "from": from, "event": event }))?;
        }
        Ok(())
    }

    pub(super) fn picture(&mut self, now_ms: f64, picture: &Picture) -> anyhow::Result<()> {
        if let Some(files) = &mut self.files {
            files.video.write_all(&picture.h264)?;
            writeln!(
                files.pictures,
                "{now_ms:.1},{},{},{}",
                picture.timestamp,
                picture.h264.len(),
                u8::from(picture.key_frame)
            )?;
        }
        Ok(())
    }

    pub(super) fn finish(self, pcm: &[i16], report: &CallReport) -> anyhow::Result<()> {
        let Some(mut files) = self.files else { return Ok(()) };
        files.events.flush()?;
        files.video.flush()?;
        files.pictures.flush()?;
        let format = hound::WavSpec {
            channels: 1,
            sample_rate: MEDIA_HZ,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(files.folder.join("answer.wav"), format)?;
        for &sample in pcm {
            wav.write_sample(sample)?;
        }
        wav.finalize()?;
        std::fs::write(files.folder.join("report.json"), serde_json::to_vec_pretty(report)?)?;
        Ok(())
    }
}
