//! The characters that come with the program: name, manifest and drawing.

/// The first one is the default.
pub const ALL: [(&str, &str, &str); 3] = [
    (
        "woman",
        include_str!("../../models/avatars/woman/avatar.toml"),
        include_str!("../../models/avatars/woman/avatar.svg"),
    ),
    ("man", include_str!("../../models/avatars/man/avatar.toml"), include_str!("../../models/avatars/man/avatar.svg")),
    (
        "mascot",
        include_str!("../../models/avatars/mascot/avatar.toml"),
        include_str!("../../models/avatars/mascot/avatar.svg"),
    ),
];
