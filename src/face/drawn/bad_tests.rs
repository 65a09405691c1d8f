//! Folders that designers get wrong: each is refused with words that say what to do.

use super::simple::{self, MANIFEST};
use super::*;

/// The message for the plain character with another manifest or drawing.
fn refused(manifest: &str, svg: &str) -> String {
    match Character::from_texts(manifest, &[("avatar.svg", svg)]) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

fn drawing() -> String {
    simple::svg(&simple::parts())
}

/// The drawing with one part's content replaced, or without it.
fn altered(name: &str, content: Option<&str>) -> String {
    let mut parts = simple::parts();
    match content {
        Some(content) => parts.iter_mut().filter(|(n, _)| *n == name).for_each(|(_, c)| *c = content.to_owned()),
        None => parts.retain(|(n, _)| *n != name),
    }
    simple::svg(&parts)
}

#[test]
fn each_required_group_that_is_missing_is_named_with_what_to_draw() {
    for part in names::PARTS.iter().filter(|part| part.required) {
        let message = refused(MANIFEST, &altered(part.name, None));
        assert!(message.contains(part.name) && message.contains(part.what), "{message}");
    }
}

#[test]
fn svg_that_cannot_be_read_or_used_is_refused_with_advice() {
    let cases = [
        ("<svg".to_owned(), "no SVG that can be read"),
        (
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{}{}</svg>", "<g>".repeat(99), "</g>".repeat(99)),
            "nested more than",
        ),
        ("<html/>".to_owned(), "its root is <html>"),
        (drawing().replace("0 0 512 512", "0 0 512 300"), "make it square"),
        (drawing().replace("0 0 512 512", "0 0 90000 90000"), "between 16 and 8192"),
        (altered("nose", Some("<text>Hi</text>")), "turn the text into paths"),
        (altered("nose", Some("<image href=\"/etc/hostname\"/>")), "linked pictures are not read"),
        (altered("nose", Some("<script>alert(1)</script>")), "a drawing is never run"),
        (altered("nose", Some("<use href=\"other.svg#nose\"/>")), "nothing outside of the file is read"),
        (altered("nose", Some("<use href=\"https://example.org/a.svg#b\"/>")), "nothing outside of the file is read"),
        (altered("nose", Some("<path d=\"M0 0h9v9z\" fill=\"url(file:///etc/hostname#a)\"/>")), "<path fill>"),
        (altered("nose", Some("<path d=\"M0 0h9v9z\" style=\"filter:url('b.svg#a')\"/>")), "<path style>"),
        (altered("nose", Some("<style>@import \"more.css\";</style>")), "<style> is not supported; nothing outside"),
        (altered("nose", Some("<style>path { fill: url(x.svg#a) }</style>")), "<style> is not supported"),
        (
            drawing().replace("<svg ", "<!DOCTYPE svg [<!ENTITY a SYSTEM \"/etc/hostname\">]><svg "),
            "it defines entities",
        ),
        (altered("nose", Some(&copies_of_copies())), "with all copies (<use>) it has more than"),
        (altered("nose", Some("")), "the group `nose` shows nothing"),
        (altered("nose", Some("<path d=\"M9000 9000h9v9z\"/>")), "the group `nose` shows nothing"),
        (
            altered("nose", Some("<g id=\"brow-left\"><path d=\"M0 0h9v9z\"/></g>")),
            "`brow-left` lies within the group `nose`",
        ),
        (
            drawing().replace("</svg>", "<path d=\"M0 0h9v9z\"/></svg>"),
            "line 13: <path> is drawn outside of every part",
        ),
        (
            drawing().replace("</svg>", "<g id=\"hat\"><path d=\"M0 0h9v9z\"/></g></svg>"),
            "name its group under [layers]",
        ),
        (drawing().replace("</svg>", "<g id=\"nose\"><path d=\"M0 0h9v9z\"/></g></svg>"), "`nose` is there twice"),
        (altered("eye-left-white", Some("<path d=\"M200 200h3v3h-3z\"/>")), "too small or too faint"),
        (altered("mouth-upper-lip", Some("<path d=\"M200 300h3v1h-3z\"/>")), "too small or too faint"),
    ];
    for (svg, expected) in cases {
        let message = refused(MANIFEST, &svg);
        assert!(message.contains(expected), "for {expected}: {message}");
    }
}

/// Ten uses of ten uses of ten uses, and so on: a small text, a billion shapes.
fn copies_of_copies() -> String {
    let mut text = "<path id=\"c0\" d=\"M0 0h9v9z\"/>".to_owned();
    for level in 1..9 {
        let copy = format!("<use href=\"#c{}\"/>", level - 1);
        text += &format!("<g id=\"c{level}\">{}</g>", copy.repeat(10));
    }
    text
}

#[test]
fn a_doctype_without_entities_and_a_link_within_the_file_are_taken() {
    let doctype =
        "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">";
    let svg = format!("{doctype}{}", drawing());
    assert!(Character::from_texts(MANIFEST, &[("avatar.svg", &svg)]).is_ok());
    let linked = altered("nose", Some("<path id=\"a\" d=\"M246 230h9v9z\"/><use href=\"#a\" x=\"5\"/>"));
    assert!(Character::from_texts(MANIFEST, &[("avatar.svg", &linked)]).is_ok());
}

#[test]
fn a_manifest_with_unknown_keys_or_wild_numbers_is_refused_by_name() {
    let cases = [
        (MANIFEST.replace("name", "nmae"), "unknown field `nmae`"),
        (MANIFEST.replace("format = 1", "format = 9"), "format = 9 is not known"),
        (MANIFEST.replace("[120, 150]", "[0, 150]"), "head.radii = 0 must lie between"),
        (MANIFEST.replace("256, 256", "nan, 256"), "head.centre = NaN"),
        (format!("{MANIFEST}[mouth]\nopen = 50\n"), "mouth.open = 50"),
        (format!("{MANIFEST}[layers.hat]\ndepth = 3\n"), "[layers.hat], but no SVG file has a group"),
        (format!("{MANIFEST}[layers.nose]\ncolour = 3\n"), "unknown field `colour`"),
        (format!("{MANIFEST}[layers.nose]\nmoves = \"away\"\n"), "unknown variant `away`"),
        (format!("{MANIFEST}[layers.nose]\nspring = {{ hz = 90, damping = 1 }}\n"), "layers.nose.spring.hz = 90"),
        (format!("{MANIFEST}[layers.mouth-inside]\ndepth = 3\n"), "no settings of their own"),
        (MANIFEST.replace("[head]", "background = \"blue\"\n[head]"), "neither \"drawn\", \"none\" nor a colour"),
        (MANIFEST.replace("[head]", "files = [\"../x.svg\"]\n[head]"), "plain file name within the folder"),
        (MANIFEST.replace("[head]", "files = [\"b.svg\"]\n[head]"), "b.svg"),
    ];
    for (manifest, expected) in cases {
        let message = refused(&manifest, &drawing());
        assert!(message.contains(expected), "for {expected}: {message}");
    }
}

#[test]
fn a_folder_is_read_and_one_without_files_or_with_huge_ones_is_refused() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it can be written");
    let message = || Character::load(folder.path()).map(|_| ()).unwrap_err().to_string();
    assert!(message().contains("a character is a folder with avatar.toml"));
    put("avatar.toml", MANIFEST);
    assert!(message().contains("avatar.svg"));
    put("avatar.svg", &drawing());
    assert_eq!(Character::load(folder.path()).map(|c| c.about().name.clone()).ok().as_deref(), Some("Plain"));
    put("avatar.svg", &format!("{}{}", drawing(), " ".repeat(9 << 20)));
    assert!(message().contains("at most 8388608 are read"));
}

#[test]
fn files_of_one_character_must_be_of_one_size() {
    let (front, back) = (altered("background", None), altered("nose", None));
    let parts = simple::parts();
    let back_only = simple::svg(&parts[..1]).replace("0 0 512 512", "0 0 300 300");
    let manifest = MANIFEST.replace("[head]", "files = [\"back.svg\", \"front.svg\"]\n[head]");
    let load = |back: &str| Character::from_texts(&manifest, &[("back.svg", back), ("front.svg", &front)]);
    assert!(load(&simple::svg(&parts[..1])).is_ok());
    assert!(load(&back_only).is_err_and(|e| e.to_string().contains("same viewBox and size")));
    assert!(load(&back).is_err_and(|e| e.to_string().contains("is there twice, in back.svg and in front.svg")));
}
