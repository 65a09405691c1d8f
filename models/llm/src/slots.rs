//! PURE: which slot answers a prompt, and how much of what was processed before can be kept. A slot is one sequence
//! in the context's memory of keys and values (KV); this file remembers which tokens lie there. It touches no model:
//! the engine carries out what is chosen here.
//!
//! - A prompt of the conversation that lies in a slot goes there. It is of that conversation if it goes on from the
//!   slot's last prompt; if that one was only read ahead, or its answer abandoned, its last message may still have
//!   changed, and it is enough if the two begin alike.
//! - Any other prompt takes the slot that was not used for longest, and begins with a copy of the longest prefix that
//!   lies in any slot. So a second conversation shares the system prompt with the first, without taking its slot.

/// One sequence. `T` is a token.
#[derive(Debug)]
struct Slot<T> {
    /// Tokens whose keys and values are in memory, in order.
    tokens: Vec<T>,
    /// How many of `tokens` (or all, if they are less) a prompt of the same conversation begins with.
    common: usize,
    /// Number of the choice that used this slot last; 0 is never.
    used: u64,
    busy: bool,
}

/// All slots of a context.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    choices: u64,
}

/// What to do before the rest of a prompt is processed in `slot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub slot: usize,
    /// The slot whose first `keep` tokens are to be copied into `slot`; `None` if they are already there.
    pub copy_from: Option<usize>,
    /// Tokens of the prompt that need no processing: less than the prompt's length, because the last token has to
    /// be processed again to know what follows it.
    pub keep: usize,
}

impl<T: Copy + Eq> Slots<T> {
    /// `count` empty slots.
    pub fn new(count: usize) -> Self {
        let slot = || Slot { tokens: Vec::new(), common: 0, used: 0, busy: false };
        Self { slots: (0..count).map(|_| slot()).collect(), choices: 0 }
    }

    /// Chooses an idle slot for `prompt`, makes it busy and keeps only what the choice keeps. `None` if all are busy.
    /// `common`: how many tokens of the prompt every other prompt of this conversation begins with.
    pub fn take(&mut self, prompt: &[T], common: usize) -> Option<Choice> {
        let choice = self.choose(prompt)?;
        self.choices += 1;
        let slot = &mut self.slots[choice.slot];
        slot.tokens.clear();
        slot.tokens.extend_from_slice(&prompt[..choice.keep]);
        slot.common = common;
        slot.used = self.choices;
        slot.busy = true;
        Some(choice)
    }

    fn choose(&self, prompt: &[T]) -> Option<Choice> {
        let most = prompt.len().saturating_sub(1);
        let shared = |index: usize| common_prefix(&self.slots[index].tokens, prompt);
        let idle = || (0..self.slots.len()).filter(|&index| !self.slots[index].busy);

        let is_continued = |index: usize| {
            let Slot { tokens, common, .. } = &self.slots[index];
            !tokens.is_empty() && shared(index) >= tokens.len().min(*common)
        };
        let continued = idle().filter(|&index| is_continued(index)).max_by_key(|&index| shared(index));
        if let Some(slot) = continued {
            return Some(Choice { slot, copy_from: None, keep: shared(slot).min(most) });
        }
        let slot = idle().min_by_key(|&index| self.slots[index].used)?;
        let best = (0..self.slots.len()).max_by_key(|&index| (shared(index), index == slot))?;
        let keep = shared(best).min(most);
        Some(Choice { slot, copy_from: (best != slot && keep > 0).then_some(best), keep })
    }

    /// Whether some slot holds all of `prompt`, so that there is nothing to read ahead.
    pub fn hold(&self, prompt: &[T]) -> bool {
        self.slots.iter().any(|slot| slot.tokens.starts_with(prompt))
    }

    /// The prompt in this slot was answered: from now on the conversation is known by more of its tokens.
    pub fn settle(&mut self, slot: usize, common: usize) {
        self.slots[slot].common = common;
    }

    /// Adds tokens that were processed in a slot.
    pub fn append(&mut self, slot: usize, tokens: &[T]) {
        self.slots[slot].tokens.extend_from_slice(tokens);
    }

    /// The answer has ended: the slot keeps its tokens and may be chosen again.
    pub fn release(&mut self, slot: usize) {
        self.slots[slot].busy = false;
    }

    /// What lay in the slot is gone (memory was cleared, or could not be kept).
    pub fn forget(&mut self, slot: usize) {
        self.slots[slot].tokens.clear();
        self.slots[slot].common = 0;
    }

    /// The idle slot that keeps something and was not used for longest: the one to give up when memory is short.
    pub fn oldest_kept(&self) -> Option<usize> {
        (0..self.slots.len())
            .filter(|&index| !self.slots[index].busy && !self.slots[index].tokens.is_empty())
            .min_by_key(|&index| self.slots[index].used)
    }

    /// Tokens in a slot, which is also the position of its next token.
    pub fn len(&self, slot: usize) -> usize {
        self.slots[slot].tokens.len()
    }

    /// Whether a prompt could be taken now.
    pub fn any_idle(&self) -> bool {
        self.slots.iter().any(|slot| !slot.busy)
    }
}

fn common_prefix<T: Eq>(a: &[T], b: &[T]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a slot for `prompt`, whose last message follows the last `|`, processes the rest of it and `answer`, and
    /// releases the slot.
    fn turn(slots: &mut Slots<u8>, prompt: &[u8], answer: &[u8]) -> Choice {
        let choice = read_ahead(slots, prompt);
        slots.append(choice.slot, answer);
        slots.settle(choice.slot, prompt.len());
        choice
    }

    /// The same without an answer.
    fn read_ahead(slots: &mut Slots<u8>, prompt: &[u8]) -> Choice {
        let choice = slots.take(prompt, last_message(prompt) + 1).expect("an idle slot");
        slots.append(choice.slot, &prompt[choice.keep..]);
        slots.release(choice.slot);
        choice
    }

    fn last_message(prompt: &[u8]) -> usize {
        prompt.iter().rposition(|&token| token == b'|').map_or(0, |bar| bar + 1)
    }

    const IN_PLACE: Option<usize> = None;

    #[test]
    fn the_next_turn_keeps_the_prompt_and_the_answer_of_the_last() {
        let mut slots = Slots::new(2);
        turn(&mut slots, b"sys|hi>", b"hello");
        let choice = turn(&mut slots, b"sys|hi>hello|how?>", b"fine");
        assert_eq!(choice, Choice { slot: 0, copy_from: IN_PLACE, keep: 12 });
    }

    #[test]
    fn an_answer_cut_by_barge_in_keeps_what_was_heard() {
        let mut slots = Slots::new(2);
        turn(&mut slots, b"sys|hi>", b"a long answer");
        let choice = turn(&mut slots, b"sys|hi>a lo|wait>", b"yes?");
        assert_eq!(choice, Choice { slot: 0, copy_from: IN_PLACE, keep: 11 });
    }

    #[test]
    fn words_that_are_corrected_while_they_are_read_ahead_stay_in_their_slot() {
        let mut slots = Slots::new(3);
        turn(&mut slots, b"sys|hi>", b"hello");
        turn(&mut slots, b"sys|yo>", b"yes");
        let growing = [&b"sys|hi>hello|"[..], b"sys|hi>hello|what is the tie", b"sys|hi>hello|what is the time and"];
        for (prompt, keep) in growing.into_iter().zip([12, 13, 27]) {
            assert_eq!(read_ahead(&mut slots, prompt), Choice { slot: 0, copy_from: IN_PLACE, keep });
        }
        let asked = turn(&mut slots, b"sys|hi>hello|what is the time?>", b"noon");
        assert_eq!(asked, Choice { slot: 0, copy_from: IN_PLACE, keep: 29 });
        let other = turn(&mut slots, b"sys|yo>yes|no>", b"oh");
        assert_eq!(other, Choice { slot: 1, copy_from: IN_PLACE, keep: 10 });
    }

    #[test]
    fn a_prompt_that_lies_in_some_slot_need_not_be_read_ahead() {
        let mut slots = Slots::new(2);
        turn(&mut slots, b"sys|hi>", b"hello");
        assert!(slots.hold(b"sys|") && slots.hold(b"sys|hi>hello") && !slots.hold(b"sys|hi>hello|"));
    }

    #[test]
    fn two_that_begin_to_speak_at_once_do_not_take_each_others_slot() {
        let mut slots = Slots::new(3);
        read_ahead(&mut slots, b"sys|");
        assert_eq!(read_ahead(&mut slots, b"sys|hi"), Choice { slot: 0, copy_from: IN_PLACE, keep: 4 });
        assert_eq!(read_ahead(&mut slots, b"sys|yo"), Choice { slot: 1, copy_from: Some(0), keep: 4 });
        assert_eq!(read_ahead(&mut slots, b"sys|hi there"), Choice { slot: 0, copy_from: IN_PLACE, keep: 6 });
        assert_eq!(read_ahead(&mut slots, b"sys|you"), Choice { slot: 1, copy_from: IN_PLACE, keep: 6 });
    }

    #[test]
    fn a_second_conversation_copies_the_system_prompt_and_leaves_the_first_alone() {
        let mut slots = Slots::new(2);
        turn(&mut slots, b"sys|hi>", b"hello");
        let second = turn(&mut slots, b"sys|yo>", b"yes");
        assert_eq!(second, Choice { slot: 1, copy_from: Some(0), keep: 4 });
        let first = turn(&mut slots, b"sys|hi>hello|how?>", b"fine");
        assert_eq!(first, Choice { slot: 0, copy_from: IN_PLACE, keep: 12 });
    }

    #[test]
    fn a_stranger_takes_the_slot_that_was_not_used_for_longest() {
        let mut slots = Slots::new(2);
        turn(&mut slots, b"aaa", b"1");
        turn(&mut slots, b"bbb", b"2");
        turn(&mut slots, b"aaa1a", b"3");
        assert_eq!(turn(&mut slots, b"ccc", b"4"), Choice { slot: 1, copy_from: IN_PLACE, keep: 0 });
    }

    #[test]
    fn the_last_token_of_a_known_prompt_is_processed_again() {
        let mut slots = Slots::new(1);
        turn(&mut slots, b"again", b"!");
        assert_eq!(turn(&mut slots, b"again", b"!"), Choice { slot: 0, copy_from: IN_PLACE, keep: 4 });
    }

    #[test]
    fn a_busy_slot_is_never_chosen_but_may_be_copied_from() {
        let mut slots = Slots::new(2);
        let first = slots.take(b"sys|hi>", 1).expect("an idle slot");
        slots.append(first.slot, b"sys|hi>");
        assert_eq!(slots.take(b"sys|hi>ab|", 1), Some(Choice { slot: 1, copy_from: Some(0), keep: 7 }));
        assert_eq!(slots.take(b"sys|", 1), None);
        slots.release(first.slot);
        assert!(slots.any_idle());
    }

    #[test]
    fn what_was_abandoned_half_way_keeps_only_what_was_processed() {
        let mut slots = Slots::new(2);
        let choice = slots.take(b"a prompt that is abandoned", 1).expect("an idle slot");
        slots.append(choice.slot, b"a prom");
        slots.release(choice.slot);
        assert_eq!(turn(&mut slots, b"a prompt", b""), Choice { slot: 0, copy_from: IN_PLACE, keep: 6 });
    }

    #[test]
    fn memory_is_given_up_oldest_first_and_only_by_idle_slots() {
        let mut slots = Slots::new(3);
        turn(&mut slots, b"aaa", b"");
        turn(&mut slots, b"bbb", b"");
        let busy = slots.take(b"aaab", 1).expect("an idle slot");
        assert_eq!((busy.slot, slots.oldest_kept()), (0, Some(1)));
        slots.forget(1);
        assert_eq!(slots.oldest_kept(), None);
    }
}
