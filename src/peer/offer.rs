//! Reads an SDP offer before any socket is opened for it: is it whole, and does it hold what a call needs?
//! Pure. What passes here may still be refused by the transport, which reads the rest of it.

use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::sdp::{MediaDescription, SessionDescription};

use super::PeerError;

/// What a usable offer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OfferSummary {
    /// It has a video section that can receive pictures.
    pub(super) video: bool,
}

/// Longest offer that is read: a browser with every codec stays under 20 kB.
const MAX_OFFER_BYTES: usize = 256 * 1024;

pub(super) fn read(sdp: &str) -> Result<(RTCSessionDescription, OfferSummary), PeerError> {
    let broken = |what: &str| PeerError::BrokenSdp(what.to_owned());
    if sdp.len() > MAX_OFFER_BYTES {
        return Err(broken("longer than 256 KiB"));
    }
    if !sdp.starts_with("v=0") {
        return Err(broken("it does not begin with v=0"));
    }
    let offer =
        RTCSessionDescription::offer(sdp.to_owned()).map_err(|error| PeerError::BrokenSdp(error.to_string()))?;
    let parsed = offer.unmarshal().map_err(|error| PeerError::BrokenSdp(error.to_string()))?;
    if !everywhere(&parsed, "ice-ufrag") || !everywhere(&parsed, "ice-pwd") {
        return Err(broken("no ICE credentials (a=ice-ufrag, a=ice-pwd)"));
    }
    if !everywhere(&parsed, "fingerprint") {
        return Err(broken("no DTLS fingerprint (a=fingerprint)"));
    }

    // Port 0 marks a section that the client has switched off (RFC 3264 section 5.1), unless it is bundled.
    let sections = |kind: &str| {
        let kind = kind.to_owned();
        parsed.media_descriptions.iter().filter(move |media| {
            media.media_name.media == kind
                && (media.media_name.port.value != 0 || media.attribute("bundle-only").is_some())
        })
    };
    if sections("audio").next().is_none() {
        return Err(PeerError::NoAudio);
    }
    if !sections("audio").any(has_opus) {
        return Err(PeerError::NoOpus);
    }
    let mut receiving_video = sections("video").filter(|media| can_receive(media)).peekable();
    let video = receiving_video.peek().is_some();
    if video && !receiving_video.any(has_h264) {
        return Err(PeerError::NoH264);
    }
    Ok((offer, OfferSummary { video }))
}

/// At session level or in some media section.
fn everywhere(parsed: &SessionDescription, key: &str) -> bool {
    parsed.attribute(key).is_some()
        || parsed.media_descriptions.iter().any(|media| matches!(media.attribute(key), Some(Some(_))))
}

fn can_receive(media: &MediaDescription) -> bool {
    media.attribute("sendonly").is_none() && media.attribute("inactive").is_none()
}

fn values<'a>(media: &'a MediaDescription, key: &'a str) -> impl Iterator<Item = &'a str> {
    media
        .attributes
        .iter()
        .filter(move |attribute| attribute.key == key)
        .filter_map(|attribute| attribute.value.as_deref())
}

fn has_opus(media: &MediaDescription) -> bool {
    values(media, "rtpmap")
        .any(|map| map.split_once(' ').is_some_and(|(_, codec)| codec.to_ascii_lowercase().starts_with("opus/48000")))
}

/// H.264 in single-NAL-or-FU mode (RFC 6184 section 6.3).
fn has_h264(media: &MediaDescription) -> bool {
    values(media, "rtpmap").any(|map| {
        let Some((payload_type, codec)) = map.split_once(' ') else { return false };
        codec.to_ascii_lowercase().starts_with("h264/90000")
            && values(media, "fmtp").any(|format| {
                format.split_once(' ').is_some_and(|(of, parameters)| {
                    of == payload_type && parameters.split(';').any(|one| one.trim() == "packetization-mode=1")
                })
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 00:11\r\n";
    const AUDIO: &str =
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n";

    fn video(fmtp: &str) -> String {
        format!(
            "m=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 {fmtp}\r\n"
        )
    }

    #[test]
    fn audio_alone_is_a_call() {
        assert!(!read(&format!("{HEAD}{AUDIO}")).unwrap().1.video);
    }

    #[test]
    fn h264_with_packetization_mode_1_is_video() {
        assert!(
            read(&format!("{HEAD}{AUDIO}{}", video("profile-level-id=42e01f;packetization-mode=1"))).unwrap().1.video
        );
    }

    #[test]
    fn video_without_packetization_mode_1_is_refused() {
        let offer = format!("{HEAD}{AUDIO}{}", video("profile-level-id=42e01f"));
        assert_eq!(read(&offer).unwrap_err(), PeerError::NoH264);
    }

    #[test]
    fn each_missing_part_has_its_own_error() {
        assert_eq!(read("hello").unwrap_err().code(), "invalid_sdp");
        assert_eq!(read("v=0\r\nwhat").unwrap_err().code(), "invalid_sdp");
        assert_eq!(read(HEAD).unwrap_err(), PeerError::NoAudio);
        assert_eq!(read(&format!("{HEAD}{}", AUDIO.replace("opus", "PCMU"))).unwrap_err(), PeerError::NoOpus);
        let no_ice = format!("{HEAD}{AUDIO}").replace("a=ice-pwd", "a=x-pwd");
        assert_eq!(read(&no_ice).unwrap_err().code(), "invalid_sdp");
    }
}
