//! The whole way over the sample folder: what is found, what is not, what changes on disk.

use std::fs;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Questions {
    answered: Vec<(String, String)>,
    followed: Vec<(String, String, String)>,
    unanswered: Vec<String>,
    answered_held_back: Vec<(String, String)>,
    unanswered_held_back: Vec<String>,
}

fn questions() -> Questions {
    toml::from_str(include_str!("questions.toml")).unwrap()
}

fn sample() -> Index {
    index(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/knowledge/sample"))
}

fn index(folder: &Path) -> Index {
    let mut library = Library::new(folder).unwrap();
    library.refresh().unwrap();
    library.index().unwrap()
}

/// Pages in the order in which they were found.
fn pages(index: &Index, question: &str, recent: &[&str]) -> Vec<String> {
    let hits = find(index, question, recent, 3).unwrap();
    hits.iter().map(|hit| index.passage(hit.number).unwrap().page.clone()).collect()
}

#[test]
fn questions_find_the_page_that_answers() {
    let index = sample();
    let questions = questions();
    // Percent that must be found first and among the first three.
    for (name, questions, least) in
        [("tuned on", questions.answered, [95, 97]), ("held back", questions.answered_held_back, [80, 80])]
    {
        let (mut first, mut third) = (0, 0);
        for (question, page) in &questions {
            let found = pages(&index, question, &[]);
            first += usize::from(found.first() == Some(page));
            third += usize::from(found.contains(page));
            if found.first() != Some(page) {
                println!("{question}: wanted {page}, found {found:?}");
            }
        }
        let all = questions.len();
        println!("{name}: of {all} questions {first} find their page first, {third} among the first three");
        assert!(100 * first >= least[0] * all && 100 * third >= least[1] * all, "{name}: {first} and {third} of {all}");
    }
}

#[test]
fn short_questions_are_understood_from_the_turn_before() {
    let index = sample();
    let questions = questions().followed;
    let mut found = 0;
    for (before, question, page) in &questions {
        let pages = pages(&index, question, &[before]);
        found += usize::from(pages.first() == Some(page));
        let relevance = find(&index, question, &[before], 1).unwrap().first().map_or(0.0, |hit| hit.relevance);
        println!("{relevance:5.2} {before} {question}: {pages:?}");
    }
    assert!(found >= questions.len() - 1, "{found} of {}", questions.len());
}

#[test]
fn the_limit_divides_questions_from_small_talk() {
    let index = sample();
    let best = |said: &str| {
        let hits = index.search(&question::read(said, &[]).all()).unwrap();
        hits.first().map_or(0.0, |hit| hit.relevance)
    };
    let questions = questions();
    for (question, _) in questions.answered.iter().chain(&questions.answered_held_back) {
        println!("asked  {:5.2} {question}", best(question));
    }
    let mut wrong = Vec::new();
    let talk = questions.unanswered.iter().chain(&questions.unanswered_held_back);
    let all = talk.clone().count();
    for said in talk {
        println!("talked {:5.2} {said}", best(said));
        if !pages(&index, said, &[]).is_empty() {
            wrong.push(said);
        }
    }
    assert!(wrong.len() * 10 <= all, "found something: {wrong:?}");
}

/// Small talk after a question does not bring its pages again.
#[test]
fn small_talk_in_a_conversation_finds_nothing() {
    let index = sample();
    let before = ["How do I set up the VPN?", "Install HarborLink from Self Service."];
    let questions = questions();
    let wrong: Vec<_> = questions.unanswered.iter().filter(|said| !pages(&index, said, &before).is_empty()).collect();
    println!("{wrong:?}");
    assert!(wrong.len() * 10 <= questions.unanswered.len(), "{wrong:?}");
}

/// What a page of another language says about a question: names and keywords, no more.
#[test]
fn a_question_in_another_language_finds_what_has_its_words() {
    let index = sample();
    // A keyword of the front matter, and a name that both languages write alike.
    assert_eq!(pages(&index, "远程办公怎么设置？", &[]).first().map(String::as_str), Some("en/vpn.md"));
    assert_eq!(pages(&index, "HarborLink 打不开。", &[]).first().map(String::as_str), Some("en/vpn.md"));
    // Nothing in common: nothing is found, and nothing wrong either.
    assert!(pages(&index, "打印机卡纸了。", &[]).is_empty());
}

#[test]
fn a_passage_names_its_page_and_headings() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lift.md"), "---\ntitle: x\n---\n# The lift\n## Out of order\nCall the porter.\n")
        .unwrap();
    let knowledge = Knowledge::open(&settings(folder.path())).unwrap().unwrap();
    let found = knowledge.find("The lift is out of order.", &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].source(), "lift.md: The lift > Out of order");
    assert_eq!(found[0].text, "Call the porter.");
    assert!(prompt(&found, 600, "en").unwrap().contains("[1] lift.md: The lift > Out of order\nCall the porter."));
}

fn settings(folder: &Path) -> KnowledgeSettings {
    KnowledgeSettings { folder: folder.to_owned(), ..KnowledgeSettings::default() }
}

#[test]
fn no_folder_is_no_knowledge_and_a_wrong_one_is_an_error() {
    assert!(Knowledge::open(&KnowledgeSettings::default()).unwrap().is_none());
    let folder = tempfile::tempdir().unwrap();
    let missing = Knowledge::open(&settings(&folder.path().join("missing"))).map(|_| ()).unwrap_err();
    assert!(missing.to_string().contains("knowledge.folder"), "{missing}");
    let file = folder.path().join("a.md");
    fs::write(&file, "x").unwrap();
    assert!(matches!(Knowledge::open(&settings(&file)), Err(KnowledgeError::NoFolder { .. })));
}

#[test]
fn an_empty_folder_and_empty_questions_find_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let knowledge = Knowledge::open(&settings(folder.path())).unwrap().unwrap();
    assert!(knowledge.find("How do I print?", &[]).is_empty());
    fs::write(folder.path().join("empty.md"), "").unwrap();
    fs::write(folder.path().join("heading.md"), "# Only a heading\n").unwrap();
    let knowledge = Knowledge::open(&settings(folder.path())).unwrap().unwrap();
    assert_eq!(knowledge.pages(), 2);
    for question in ["", "  ", "?!", "How do I print?", "\u{0}\u{7}", "😀😀", "\"AND (NOT", "body:x^2 *"] {
        assert!(knowledge.find(question, &[question]).is_empty(), "{question:?}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("good.md", b"The porter has the keys of the cellar.");
    write("gbk.txt", &[0xc3, 0xc5, 0xbd, 0xfb]);
    write("binary.md", b"\x7fELF\0\0");
    write("photo.png", b"x");
    write("huge.md", format!("The greenhouse is heated. {}", "More text follows here. ".repeat(100_000)).as_bytes());
    let knowledge = Knowledge::open(&settings(folder.path())).unwrap().unwrap();
    let left_out = knowledge.left_out();
    assert_eq!(left_out.keys().collect::<Vec<_>>(), ["binary.md", "gbk.txt", "huge.md", "photo.png"]);
    assert!(left_out["gbk.txt"].contains("UTF-8") && left_out["huge.md"].contains("longer"));
    assert_eq!(knowledge.find("Who has the keys of the cellar?", &[])[0].page, "good.md");
    assert_eq!(knowledge.find("Is the greenhouse heated?", &[])[0].page, "huge.md");
}

#[test]
fn a_folder_that_is_too_large_is_read_in_part() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..70 {
        // Holes: they take no room on the disk, and are not text.
        fs::File::create(folder.path().join(format!("{number:02}.md"))).unwrap().set_len(1 << 20).unwrap();
    }
    let knowledge = Knowledge::open(&settings(folder.path())).unwrap().unwrap();
    let reasons = knowledge.left_out();
    assert_eq!(reasons.len(), 70);
    assert!(reasons["63.md"].contains("binary") && reasons["64.md"].contains("bytes before it"));
}

#[test]
fn changes_on_disk_are_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("a.md", "The pool is in the cellar.");
    write("b.md", "The sauna is on the roof.");
    let mut library = Library::new(folder.path()).unwrap();
    assert!(library.refresh().unwrap());
    assert!(!library.refresh().unwrap(), "nothing has changed");

    write("a.md", "The gym is in the attic.");
    fs::remove_file(folder.path().join("b.md")).unwrap();
    write("c.md", "The library is beside the chapel.");
    assert!(library.refresh().unwrap());
    let index = library.index().unwrap();
    assert_eq!(pages(&index, "Where is the gym?", &[]), ["a.md"]);
    assert_eq!(pages(&index, "Where is the library?", &[]), ["c.md"]);
    assert!(pages(&index, "Where is the pool?", &[]).is_empty());
    assert!(pages(&index, "Where is the sauna?", &[]).is_empty());
    assert!(!library.refresh().unwrap());

    // The folder away for a while (a share): an error, and what is known stays.
    let moved = folder.path().with_extension("moved");
    fs::rename(folder.path(), &moved).unwrap();
    assert!(library.refresh().is_err());
    assert_eq!(library.len(), 2);
    fs::rename(&moved, folder.path()).unwrap();
    assert!(!library.refresh().unwrap());
}

#[test]
fn a_thread_takes_changes_in_and_ends_with_the_last_clone() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("a.md");
    fs::write(&page, "The pool is in the cellar.").unwrap();
    let (changed, changes) = sync_channel(8);
    let tell = move || {
        let _ = changed.send(());
    };
    let knowledge = Knowledge::watching(folder.path(), 3, Duration::from_millis(5), tell).unwrap();
    let clone = knowledge.clone();
    drop(knowledge);
    assert_eq!(clone.find("Where is the pool?", &[]).len(), 1);
    fs::write(&page, "The gym is in the attic.").unwrap();
    // A write is two changes if the thread looks between them.
    while clone.find("Where is the gym?", &[]).is_empty() {
        changes.recv().unwrap();
    }
    assert!(clone.find("Where is the pool?", &[]).is_empty());
    drop(clone);
    // The thread is gone and with it the other end.
    while changes.recv().is_ok() {}
}

#[test]
fn many_may_ask_at_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/knowledge/sample");
    let knowledge = Knowledge::open(&settings(&folder)).unwrap().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let knowledge = knowledge.clone();
            scope.spawn(move || {
                for (question, _) in questions().answered {
                    assert!(!knowledge.find(&question, &[]).is_empty(), "{question}");
                }
            });
        }
    });
}
