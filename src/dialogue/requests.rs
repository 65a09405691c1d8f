//! What a client asks for: items, answers, cuts.
//!
//! PURE part of the [`Dialogue`]. Each request is checked against what there is; one that cannot be met becomes
//! an error event that names the client's own event, and changes nothing.

use super::history::{Item, ItemId, Matter, Place};
use super::io::{ClientEventId, Ending, Event, NewItem, Output, Request};
use super::{Dialogue, LONGEST_ITEM, Medium};
use crate::media::MediaTime;

impl Dialogue {
    pub(super) fn request(&mut self, request: Request, event_id: ClientEventId) {
        // What was begun on the assumption that nobody says more may be wrong now; it will be begun again.
        self.drop_draft();
        match request {
            Request::CreateItem { item, place } => self.create_item(item, place, event_id),
            Request::RetrieveItem { item } => match self.history.get(&item).cloned() {
                Some(item) => self.emit(Event::ItemRetrieved { item }),
                None => self.unknown_item(&item, event_id),
            },
            Request::DeleteItem { item } => {
                if self.history.remove(&item) {
                    self.emit(Event::ItemDeleted { item });
                } else {
                    self.unknown_item(&item, event_id);
                }
            }
            Request::TruncateItem { item, audio_end_millis } => self.truncate(item, audio_end_millis, event_id),
            Request::CreateResponse(request) => {
                if request.said.as_ref().is_some_and(|said| said.len() > LONGEST_ITEM) {
                    let message =
                        format!("The text is longer than {LONGEST_ITEM} bytes: shorten it, or say it in parts.");
                    self.error("string_above_max_length", message, event_id);
                } else if self.making().is_some() {
                    let message =
                        "An answer is being made already: wait for response.done, or send response.cancel first.";
                    self.error("conversation_already_has_active_response", message.to_owned(), event_id);
                } else {
                    // What is said as it stands answers nothing: what the person asked is still due.
                    self.answer_due &= request.said.is_some();
                    self.start_reply(request, None);
                }
            }
            Request::CancelResponse { response } => match self.making() {
                Some(turn) if response.is_none_or(|wanted| wanted == turn) => self.stop_answers(&Ending::Cancelled),
                _ => {
                    let message = "No answer is being made: there is nothing to cancel.".to_owned();
                    self.error("response_cancel_not_active", message, event_id);
                }
            },
            Request::ClearOutput => self.stop_answers(&Ending::Cancelled),
            Request::CommitInput => self.outputs.push_back(Output::CommitInput { event_id }),
            Request::ClearInput => {
                self.forget_hearing();
                self.release();
                self.outputs.push_back(Output::DiscardInput);
                self.emit(Event::InputCleared);
            }
        }
    }

    fn create_item(&mut self, new: NewItem, place: Place, event_id: ClientEventId) {
        if new.text.len() > LONGEST_ITEM {
            let message = format!("The item's text is longer than {LONGEST_ITEM} bytes: shorten or split it.");
            return self.error("string_above_max_length", message, event_id);
        }
        if let Matter::Result { call_id } = &new.matter
            && !self.history.has_call(call_id)
        {
            let message = format!("There is no call with the id \"{call_id}\" in this conversation.");
            return self.error("call_not_found", message, event_id);
        }
        let id = match new.id {
            Some(id) if self.history.get(&id).is_some() => {
                let message =
                    format!("An item with the id \"{id}\" exists already: leave the id out or choose another.");
                return self.error("item_already_exists", message, event_id);
            }
            Some(id) => id,
            None => self.new_item_id(),
        };
        let NewItem { role, matter, text, .. } = new;
        let text = Some(text).filter(|_| !matches!(matter, Matter::Call(_)));
        let item = Item { id, role, medium: Medium::Text, matter, text, complete: true, in_context: true };
        self.insert(item, place, event_id);
    }

    fn truncate(&mut self, item: ItemId, audio_end_millis: u64, event_id: ClientEventId) {
        match self.replies.iter_mut().find(|reply| reply.item == item && reply.playing) {
            Some(reply) => {
                let end = MediaTime::from_millis(audio_end_millis).0;
                reply.played = reply.played.min(end);
                self.stop_answers(&Ending::Cancelled);
            }
            None => {
                let message = format!("The item \"{item}\" is not being played: there is nothing to cut.");
                self.error("item_not_playing", message, event_id);
            }
        }
    }
}
