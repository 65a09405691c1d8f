//! A merge patch (RFC 7396) laid over the text of a configuration file, as a person would do it: what it does not name
//! stays as it is, comments and order too.
//!
//! PURE. `null` takes a setting out of the file, which is its default; one that has a comment stays and is set to that.

use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value as Toml};

use super::tree;

/// The text with these settings, by path, set to these values. The reason of a refusal is for whoever sent them.
pub fn edited(text: &str, changes: &[(String, &Value)], defaults: &Value) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("the file is not TOML: {error}"))?;
    for (path, value) in changes {
        let (above, name) = path.rsplit_once('.').map_or((None, path.as_str()), |(above, name)| (Some(above), name));
        let names = above.into_iter().flat_map(|above| above.split('.'));
        if value.is_null() {
            let root: &mut dyn TableLike = document.as_table_mut();
            if let Some(table) =
                names.into_iter().try_fold(root, |table, name| table.get_mut(name)?.as_table_like_mut())
            {
                match tree::at(defaults, path) {
                    Some(default) if has_comment(table, name) => put(table, name, toml(default)?),
                    _ => drop(table.remove(name)),
                }
            }
            continue;
        }
        let mut table: &mut dyn TableLike = document.as_table_mut();
        for name in names {
            table = table_in(table, name);
        }
        put(table, name, toml(value)?);
    }
    Ok(document.to_string())
}

/// The table of this name, which takes the place of anything else.
fn table_in<'a>(table: &'a mut dyn TableLike, name: &str) -> &'a mut dyn TableLike {
    let is_table = table.get(name).is_some_and(Item::is_table_like);
    if !is_table {
        table.insert(name, Item::Table(Table::new()));
    }
    table.get_mut(name).and_then(Item::as_table_like_mut).expect("it was put there")
}

fn has_comment(table: &dyn TableLike, name: &str) -> bool {
    let above = table.key(name).and_then(|key| key.leaf_decor().prefix()?.as_str());
    let behind = table.get(name).and_then(|item| item.as_value()?.decor().suffix()?.as_str());
    [above, behind].into_iter().flatten().any(|text| text.contains('#'))
}

fn put(table: &mut dyn TableLike, name: &str, mut value: Toml) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            // A comment on the same line is part of it.
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.remove(name);
            table.insert(name, Item::Value(value));
        }
    }
}

fn toml(value: &Value) -> Result<Toml, String> {
    Ok(match value {
        Value::Null => return Err("a list cannot hold null".into()),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(value)) if !number.is_u64() => value.into(),
            _ => return Err(format!("{number} is too large")),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(values) => Toml::Array(values.iter().map(toml).collect::<Result<Array, _>>()?),
        Value::Object(fields) => Toml::InlineTable(inline(fields)?),
    })
}

fn inline(fields: &Map<String, Value>) -> Result<InlineTable, String> {
    let there = fields.iter().filter(|(_, value)| !value.is_null());
    there.map(|(name, value)| Ok((name, toml(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tree::leaves;
    use super::*;

    const FILE: &str = "# Mine.\nlanguage = \"en\" # spoken\n\n[tts]\n# Slow.\nspeed = 0.8\nvoice = 'joe'\n\n\
                        [[llm.others]]\nmodel = \"a\"\n[llm]\nheaders = { a = \"1\" }\n";

    fn patched(text: &str, patch: &Value) -> Result<String, String> {
        let defaults = json!({"tts": {"speed": 1.0, "voice": "piper-joe"}});
        edited(text, &leaves(patch.as_object().unwrap()), &defaults)
    }

    #[test]
    fn what_is_not_named_stays_to_the_letter() {
        assert_eq!(patched(FILE, &json!({})).unwrap(), FILE);
        let patch = json!({"language": "zh", "tts": {"speed": 1}});
        let expected = FILE.replace("\"en\" #", "\"zh\" #").replace("0.8", "1");
        assert_eq!(patched(FILE, &patch).unwrap(), expected);
    }

    #[test]
    fn null_takes_out_and_what_is_new_goes_into_its_table() {
        let tts = json!({"speed": null, "voice": null, "nothing": null});
        let patch = json!({"tts": tts, "asr": {"hints": ["Visavis"]}, "no": {"such": null}});
        let text = patched(FILE, &patch).unwrap();
        assert!(text.contains("[tts]\n# Slow.\nspeed = 1.0\n\n"), "{text}");
        assert!(text.contains("[asr]\nhints = [\"Visavis\"]\n"), "{text}");
        let written: Value = toml::from_str(&text).unwrap();
        assert_eq!(written["asr"]["hints"], json!(["Visavis"]));
        assert_eq!(written.get("no"), None);
    }

    #[test]
    fn tables_in_one_line_and_lists_of_tables_are_changed_too() {
        let patch = json!({"llm": {"headers": {"b": "2"}, "others": [{"model": "x", "max_tokens": null}]}});
        let written: Value = toml::from_str(&patched(FILE, &patch).unwrap()).unwrap();
        assert_eq!(written["llm"], json!({"headers": {"a": "1", "b": "2"}, "others": [{"model": "x"}]}));
    }

    #[test]
    fn a_setting_of_the_top_stands_above_all_tables() {
        let text = patched("[tts]\nspeed = 1.0\n", &json!({"language": "zh"})).unwrap();
        let written: Value = toml::from_str(&text).unwrap();
        assert_eq!(written, json!({"language": "zh", "tts": {"speed": 1.0}}));
    }

    #[test]
    fn what_toml_cannot_hold_is_refused() {
        assert!(patched("", &json!({"a": [null]})).unwrap_err().contains("null"));
        assert!(patched("", &json!({"a": u64::MAX})).unwrap_err().contains("too large"));
    }
}
