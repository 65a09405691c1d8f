//! Words for currencies and units in English. Pure.

/// A currency by its sign.
#[derive(Clone, Copy, Debug)]
pub struct Currency {
    pub one: &'static str,
    pub many: &'static str,
    /// The hundredth part; empty if there is none.
    pub part: &'static str,
}

/// Signs before an amount; the longer ones first.
const CURRENCIES: &[(&str, &str, &str, &str)] = &[
    ("US$", "US dollar", "US dollars", "cents"),
    ("A$", "Australian dollar", "Australian dollars", "cents"),
    ("C$", "Canadian dollar", "Canadian dollars", "cents"),
    ("$", "dollar", "dollars", "cents"),
    ("€", "euro", "euros", "cents"),
    ("£", "pound", "pounds", "pence"),
    ("¥", "yen", "yen", ""),
    ("￥", "yuan", "yuan", ""),
    ("₹", "rupee", "rupees", "paise"),
];

/// A unit after a number.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    pub one: &'static str,
    pub many: &'static str,
    /// Bytes of its sign.
    pub length: usize,
}

/// Signs with their names; those marked so are read only without a space before them, for they are words or letters too.
const UNITS: &[(&str, &str, &str, bool)] = &[
    ("km/h", "kilometer an hour", "kilometers an hour", false),
    ("kph", "kilometer an hour", "kilometers an hour", false),
    ("km²", "square kilometer", "square kilometers", false),
    ("km", "kilometer", "kilometers", false),
    ("kWh", "kilowatt hour", "kilowatt hours", false),
    ("kW", "kilowatt", "kilowatts", false),
    ("kHz", "kilohertz", "kilohertz", false),
    ("kB", "kilobyte", "kilobytes", false),
    ("KB", "kilobyte", "kilobytes", false),
    ("kg", "kilogram", "kilograms", false),
    ("mph", "mile an hour", "miles an hour", false),
    ("mAh", "milliamp hour", "milliamp hours", false),
    ("ml", "milliliter", "milliliters", false),
    ("mL", "milliliter", "milliliters", false),
    ("mm", "millimeter", "millimeters", false),
    ("mg", "milligram", "milligrams", false),
    ("ms", "millisecond", "milliseconds", false),
    ("min", "minute", "minutes", false),
    ("mi", "mile", "miles", false),
    ("m/s", "meter a second", "meters a second", false),
    ("m²", "square meter", "square meters", false),
    ("m³", "cubic meter", "cubic meters", false),
    ("m", "meter", "meters", false),
    ("cm²", "square centimeter", "square centimeters", false),
    ("cm", "centimeter", "centimeters", false),
    ("dB", "decibel", "decibels", false),
    ("fps", "frame a second", "frames a second", false),
    ("ft", "foot", "feet", false),
    ("g", "gram", "grams", false),
    ("GB", "gigabyte", "gigabytes", false),
    ("GHz", "gigahertz", "gigahertz", false),
    ("Hz", "hertz", "hertz", false),
    ("hrs", "hour", "hours", false),
    ("hr", "hour", "hours", false),
    ("h", "hour", "hours", true),
    ("lbs", "pound", "pounds", false),
    ("lb", "pound", "pounds", false),
    ("L", "liter", "liters", false),
    ("MB", "megabyte", "megabytes", false),
    ("Mbps", "megabit a second", "megabits a second", false),
    ("MHz", "megahertz", "megahertz", false),
    ("MW", "megawatt", "megawatts", false),
    ("nm", "nanometer", "nanometers", false),
    ("oz", "ounce", "ounces", false),
    ("px", "pixel", "pixels", false),
    ("sec", "second", "seconds", false),
    ("TB", "terabyte", "terabytes", false),
    ("V", "volt", "volts", true),
    ("W", "watt", "watts", true),
    ("°C", "degree Celsius", "degrees Celsius", false),
    ("℃", "degree Celsius", "degrees Celsius", false),
    ("°F", "degree Fahrenheit", "degrees Fahrenheit", false),
    ("°", "degree", "degrees", false),
];

/// The currency whose sign `text` begins with, and the length of the sign.
pub fn currency(text: &str) -> Option<(Currency, usize)> {
    let &(sign, one, many, part) = CURRENCIES.iter().find(|(sign, ..)| text.starts_with(sign))?;
    Some((Currency { one, many, part }, sign.len()))
}

/// The unit that `text` begins with, after a number and perhaps a space.
pub fn unit(text: &str, spaced: bool) -> Option<Unit> {
    let ends = |sign: &str| {
        let next = text[sign.len()..].chars().next();
        let lettered = sign.ends_with(|c: char| c.is_ascii_alphabetic());
        !(lettered && next.is_some_and(|c| c.is_alphanumeric() || "/'’²³".contains(c)))
    };
    let fits = |&&(sign, _, _, attached): &&(&str, &str, &str, bool)| {
        text.starts_with(sign) && ends(sign) && !(attached && spaced)
    };
    let &(sign, one, many, _) = UNITS.iter().find(fits)?;
    Some(Unit { one, many, length: sign.len() })
}
