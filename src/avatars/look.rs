//! What a call wants to see, out of `session.avatar`, whose fields Azure's avatars named.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::AvatarError;
use crate::face::drawn::Background;

/// An avatar with what is behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    pub name: String,
    /// Instead of the avatar's own.
    pub background: Option<Background>,
}

/// Of `session.avatar`, what means something here. Fields of Azure's own, such as `customized` and `style`, are kept and
/// change nothing.
#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    character: Option<String>,
    #[serde(default)]
    video: Option<Video>,
}

#[derive(Debug, Deserialize)]
struct Video {
    #[serde(default)]
    codec: Option<String>,
    #[serde(default)]
    background: Option<Behind>,
}

#[derive(Debug, Deserialize)]
struct Behind {
    /// `#RRGGBB` or `#RRGGBBAA`; opacity 00 is none.
    #[serde(default)]
    color: Option<String>,
    #[serde(default)]
    image_url: Option<String>,
}

impl Look {
    /// An avatar as it is.
    pub fn of(name: &str) -> Self {
        Self { name: name.to_owned(), background: None }
    }

    /// Reads `session.avatar`; what it leaves open is `default`'s.
    pub fn wanted(avatar: Option<&Map<String, Value>>, default: &str) -> Result<Self, AvatarError> {
        let Some(avatar) = avatar else { return Ok(Self::of(default)) };
        let wanted: Wanted = serde_json::from_value(Value::Object(avatar.clone()))
            .map_err(|error| AvatarError::Look(format!("session.avatar: {error}")))?;
        let refuse = |reason: String| Err(AvatarError::Look(reason));
        if let Some(kind) = wanted.kind.filter(|kind| !["video-avatar", "photo-avatar"].contains(&kind.as_str())) {
            return refuse(format!("session.avatar.type is \"{kind}\": use \"video-avatar\" or \"photo-avatar\""));
        }
        let mut look = Self::of(wanted.character.as_deref().filter(|name| !name.is_empty()).unwrap_or(default));
        let Some(video) = wanted.video else { return Ok(look) };
        if let Some(codec) = video.codec.filter(|codec| !codec.eq_ignore_ascii_case("h264")) {
            return refuse(format!("session.avatar.video.codec is \"{codec}\": pictures are sent as \"h264\""));
        }
        let Some(behind) = video.background else { return Ok(look) };
        if behind.image_url.is_some() {
            return refuse("session.avatar.video.background.image_url: only a color can be put behind a face".into());
        }
        if let Some(color) = behind.color {
            let digits = color.strip_prefix('#').filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
            look.background = match digits.map(|digits| (digits.len(), u32::from_str_radix(digits, 16))) {
                Some((6, Ok(rgb))) => Some(colour(rgb)),
                Some((8, Ok(rgba))) if rgba & 0xff == 0xff => Some(colour(rgba >> 8)),
                Some((8, Ok(rgba))) if rgba & 0xff == 0 => Some(Background::None),
                _ => {
                    return refuse(format!(
                        "session.avatar.video.background.color is \"{color}\": write it as \"#20304a\", or \"#00000000\" for none"
                    ));
                }
            };
        }
        Ok(look)
    }
}

fn colour(rgb: u32) -> Background {
    Background::Colour([(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted(avatar: Value) -> Result<Look, String> {
        Look::wanted(avatar.as_object(), "man").map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_open_is_the_default() {
        assert_eq!(Look::wanted(None, "man").unwrap(), Look::of("man"));
        assert_eq!(wanted(json!({"type": "video-avatar", "style": "calm"})).unwrap(), Look::of("man"));
        let look = wanted(json!({"character": "mascot", "video": {"background": {"color": "#20304a"}}})).unwrap();
        assert_eq!(look, Look { name: "mascot".into(), background: Some(Background::Colour([0x20, 0x30, 0x4a])) });
        let clear = wanted(json!({"video": {"codec": "h264", "background": {"color": "#FFFFFF00"}}})).unwrap();
        assert_eq!(clear.background, Some(Background::None));
    }

    #[test]
    fn what_cannot_be_done_is_told_by_its_field() {
        for (avatar, told) in [
            (json!({"type": "hologram"}), "session.avatar.type"),
            (json!({"character": 3}), "session.avatar"),
            (json!({"video": {"codec": "vp8"}}), "codec"),
            (json!({"video": {"background": {"color": "red"}}}), "color"),
            (json!({"video": {"background": {"color": "#fffffff0"}}}), "color"),
            (json!({"video": {"background": {"image_url": "http://x"}}}), "image_url"),
        ] {
            let error = wanted(avatar).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
