//! Wav2Lip: a photo or a loop of video whose mouth a network makes from the sound, with weights that the user brings.
//!
//! The published weights were trained on the LRS2 data set, which is for research only; none are shipped.
//!
//! ```text
//! Face::hear -> Desk -> Engine's thread: Hearing (16 kHz, MelStream) -> Schedule -> Network -> Reel
//! Face::redraw -> Template (the picture at rest) <- Blend <- the mouth that the Reel has for this frame
//! ```
//!
//! The network takes tens of milliseconds a frame and sound 0.2 s ahead; so it works ahead of the call, on the sound
//! that is laid but not yet heard. What it has not made in time is interpolated or left out, and counted: a call's
//! media thread never waits for it.

mod blend;
mod desk;
mod engine;
mod error;
mod filters;
mod follow;
mod footage;
mod hearing;
mod mask;
mod mel;
mod network;
mod patch;
mod reel;
mod schedule;
mod store;
mod template;
mod video;

use std::sync::Arc;

pub use engine::{Engine, Observer, Options};
pub use error::Wav2LipError;
pub use hearing::Window;
pub use mel::{Before, MelStream, Step};
pub use network::{MAX_BATCH, Network};
pub use patch::Patch;
pub use reel::{Counters, Shown};
pub use store::{add, load};
pub use template::{SIDE, Template};

use crate::face::{Area, Face, Pose, Rgba};
use crate::media::{MediaTime, VIDEO_FRAME_TICKS};
use blend::Blend;
use desk::Desk;

/// Frames over which the network's mouth appears and gives way to the picture's own.
const APPEAR: f32 = 3.0;
const GIVE_WAY: f32 = 6.0;

/// One call's face. Its head moves as the footage does; of a pose it takes the time alone.
pub struct Wav2Lip {
    template: Arc<Template>,
    engine: Arc<Engine>,
    desk: Arc<Desk>,
    blend: Blend,
    mouth: Patch,
    /// How much of the network's mouth is seen, 0 to 1.
    share: f32,
    /// The picture of the footage that was drawn last, and where the mouth was laid over it.
    drawn: Option<usize>,
    laid: Area,
}

impl Wav2Lip {
    pub fn new(template: Arc<Template>, engine: Arc<Engine>) -> Self {
        let desk = Arc::new(Desk::default());
        engine.serve(&desk, template.clone());
        Self {
            template,
            engine,
            desk,
            blend: Blend::default(),
            mouth: Patch::default(),
            share: 0.0,
            drawn: None,
            laid: Area::default(),
        }
    }

    /// What was shown so far.
    pub fn counters(&self) -> Counters {
        self.desk.counters()
    }
}

impl Face for Wav2Lip {
    fn size(&self) -> (usize, usize) {
        (SIDE, SIDE)
    }

    fn draw(&mut self, pose: &Pose, picture: &mut Rgba) {
        self.drawn = None;
        self.redraw(pose, picture);
    }

    fn redraw(&mut self, pose: &Pose, picture: &mut Rgba) -> Area {
        picture.fit(SIDE, SIDE);
        let place = self.template.place(pose.frame);
        let still = self.template.still(place);
        let lost = if self.drawn == Some(place) { self.laid } else { Area::whole((SIDE, SIDE)) };
        still.draw(lost, picture);
        let shown = self.desk.show(pose.at.0 / VIDEO_FRAME_TICKS, pose.frame, &mut self.mouth);
        self.engine.observe(shown);
        self.engine.ring();
        let change = match shown {
            None => 0.0,
            Some(Shown::Rest | Shown::Missing) => -1.0 / GIVE_WAY,
            Some(Shown::Inferred | Shown::Interpolated | Shown::Held) => 1.0 / APPEAR,
        };
        self.share = (self.share + change).clamp(0.0, 1.0);
        self.laid = if self.share > 0.0 {
            self.blend.draw(&still.face, &self.mouth, &still.bounds, self.share, picture)
        } else {
            Area::default()
        };
        self.drawn = Some(place);
        lost.and(self.laid)
    }

    fn hear(&mut self, at: MediaTime, pcm: &[i16]) {
        self.desk.tell(at, pcm);
        self.engine.ring();
    }

    fn settle(&mut self, pose: &Pose) {
        self.desk.place(pose.at.0 / VIDEO_FRAME_TICKS, pose.frame);
    }

    fn wait(&mut self) {
        self.engine.wait();
    }

    fn copy(&self) -> Box<dyn Face> {
        Box::new(Self::new(self.template.clone(), self.engine.clone()))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
