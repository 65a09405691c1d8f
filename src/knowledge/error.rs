//! What can go wrong with the knowledge as a whole; a single page that cannot be read is left out and named instead.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    #[error(
        "the folder of the knowledge {} cannot be read: {source}; set knowledge.folder to a folder of Markdown or text \
         files, or leave it empty",
        .path.display()
    )]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the folder of the knowledge {} is no folder: set knowledge.folder to one, or leave it empty", .path.display())]
    NoFolder { path: PathBuf },
    #[error("the knowledge could not be indexed: {0}")]
    Index(#[from] tantivy::TantivyError),
    #[error("the thread that watches the knowledge's folder could not be started: {0}")]
    Thread(std::io::Error),
}
