//! Draws and encodes one stream of pictures: pose in, access unit out. Who is to see it is decided by others.

use std::sync::Arc;

use crate::clock;
use crate::face::{Area, Face, Pose, Rgba};
use crate::media::{I420, MediaTime};
use crate::metrics::Metrics;
use crate::video::{EncodedPicture, H264Encoder, VideoError, VideoSettings, rgba_to_i420};

/// Pictures over which one face is faded into another.
const FADE: u16 = 5;

pub(super) struct Studio {
    face: Box<dyn Face>,
    rgba: Rgba,
    i420: I420,
    encoder: H264Encoder,
    /// What was seen before this face, and the pictures in which it is still seen.
    before: Option<(Rgba, u16)>,
    mixed: Rgba,
    /// The next picture is converted in whole, and is a key frame: the encoder keeps what changes little as it was, and
    /// nothing may stay of a face that was faded out.
    anew: bool,
    metrics: Arc<Metrics>,
}

impl Studio {
    pub(super) fn new(
        face: Box<dyn Face>,
        settings: &VideoSettings,
        metrics: Arc<Metrics>,
    ) -> Result<Self, VideoError> {
        let (width, height) = face.size();
        let encoder = H264Encoder::new(&VideoSettings { width, height, ..settings.clone() })?;
        metrics.encoders.inc();
        Ok(Self {
            face,
            rgba: Rgba::new(width, height),
            i420: I420::new(width, height),
            encoder,
            before: None,
            mixed: Rgba::new(2, 2),
            anew: true,
            metrics,
        })
    }

    /// Fades what was seen last, `before`, into what comes.
    pub(super) fn fade_from(&mut self, before: Rgba) {
        if (before.width, before.height) == self.face.size() {
            self.before = Some((before, FADE));
        }
    }

    /// What was drawn last.
    pub(super) fn seen(&self) -> &Rgba {
        &self.rgba
    }

    /// See [`Face::hear`].
    pub(super) fn hear(&mut self, at: MediaTime, pcm: &[i16]) {
        self.face.hear(at, pcm);
    }

    /// See [`Face::settle`].
    pub(super) fn settle(&mut self, pose: &Pose) {
        self.face.settle(pose);
    }

    /// The first picture is a key frame, as is any with `key_frame`.
    pub(super) fn picture(&mut self, pose: &Pose, key_frame: bool) -> Result<Option<EncodedPicture>, VideoError> {
        let start = clock::now();
        let key_frame = key_frame || self.anew;
        let area = self.face.redraw(pose, &mut self.rgba);
        self.convert(area);
        let drawn = clock::now();
        let encoded = self.encoder.encode(&self.i420, key_frame);
        self.metrics.draw_seconds.observe((drawn - start).as_secs_f64());
        self.metrics.encode_seconds.observe((clock::now() - drawn).as_secs_f64());
        encoded
    }

    fn convert(&mut self, area: Area) {
        let Self { rgba, i420, before, mixed, .. } = self;
        let (width, height) = (rgba.width, rgba.height);
        let area = if std::mem::take(&mut self.anew) { Area::whole((width, height)) } else { area };
        let Some((old, left)) = before else {
            return rgba_to_i420(&rgba.data, width, height, area, i420);
        };
        mixed.fit(width, height);
        let share = *left * 256 / (FADE + 1);
        for ((mixed, old), new) in mixed.data.iter_mut().zip(&old.data).zip(&rgba.data) {
            *mixed = ((u16::from(*old) * share + u16::from(*new) * (256 - share)) >> 8) as u8;
        }
        rgba_to_i420(&mixed.data, width, height, Area::whole((width, height)), i420);
        *left -= 1;
        if *left == 0 {
            (*before, *mixed, self.anew) = (None, Rgba::new(2, 2), true);
        }
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.metrics.encoders.dec();
    }
}
