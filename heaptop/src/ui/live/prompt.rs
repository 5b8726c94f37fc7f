// SPDX-License-Identifier: GPL-2.0-only

//! A question in the second line, and the answer as it is typed.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    User,
    Command,
    Delay,
    /// Of a process.
    Limits(i32),
    /// To a process.
    Signal(i32),
}

#[derive(Debug)]
pub(super) struct Prompt {
    question: Question,
    input: Input,
}

/// What becomes of it with a key.
#[derive(Debug)]
pub(super) enum Next {
    More(Prompt),
    Answer(Question, String),
    Nothing,
}

impl Prompt {
    pub(super) fn new(question: Question) -> Self {
        let input = Input::default();
        Self { question, input }
    }

    pub(super) fn key(mut self, key: &KeyEvent) -> Next {
        match key.code {
            KeyCode::Esc => return Next::Nothing,
            KeyCode::Enter => return Next::Answer(self.question, self.input.value().to_string()),
            _ => (),
        }
        if let Some(request) = request(key) {
            self.input.handle(request);
        }
        Next::More(self)
    }

    /// The line, and the column of its cursor.
    pub(super) fn line(&self) -> (String, usize) {
        let question = match self.question {
            Question::User => "user (nothing is all): ".to_string(),
            Question::Command => "part of the name (nothing is all): ".to_string(),
            Question::Delay => "seconds between looks: ".to_string(),
            Question::Limits(pid) => format!("limits of {pid} (SOFT:HARD, SOFT:, :HARD or both): "),
            Question::Signal(pid) => format!("signal to {pid} (nothing is TERM): "),
        };
        let column = question.len() + self.input.visual_cursor();
        (question + self.input.value(), column)
    }
}

/// Of the keys that edit a line in shells.
fn request(key: &KeyEvent) -> Option<InputRequest> {
    let plain = (key.modifiers - KeyModifiers::SHIFT).is_empty();
    Some(match key.code {
        KeyCode::Char(character) if plain => InputRequest::InsertChar(character),
        KeyCode::Char(character) if key.modifiers == KeyModifiers::CONTROL => match character {
            'a' => InputRequest::GoToStart,
            'e' => InputRequest::GoToEnd,
            'u' => InputRequest::DeleteLine,
            'w' => InputRequest::DeletePrevWord,
            'k' => InputRequest::DeleteTillEnd,
            _ => return None,
        },
        KeyCode::Backspace => InputRequest::DeletePrevChar,
        KeyCode::Delete => InputRequest::DeleteNextChar,
        KeyCode::Left => InputRequest::GoToPrevChar,
        KeyCode::Right => InputRequest::GoToNextChar,
        KeyCode::Home => InputRequest::GoToStart,
        KeyCode::End => InputRequest::GoToEnd,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(mut prompt: Prompt, keys: &[KeyEvent]) -> Prompt {
        for key in keys {
            match prompt.key(key) {
                Next::More(next) => prompt = next,
                other => panic!("{other:?}"),
            }
        }
        prompt
    }

    #[test]
    fn edited() {
        let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        let keys: Vec<_> = "64Mx"
            .chars()
            .map(|c| KeyCode::Char(c).into())
            .chain([KeyCode::Backspace.into(), control('a')])
            .chain([
                KeyCode::Char('1').into(),
                KeyCode::F(5).into(),
                control('z'),
            ])
            .collect();
        let prompt = typed(Prompt::new(Question::Limits(7)), &keys);
        let (line, column) = prompt.line();
        assert!(
            line.starts_with("limits of 7 (") && line.ends_with(": 164M"),
            "{line}"
        );
        assert_eq!(column, line.len() - 3);
        match prompt.key(&KeyCode::Enter.into()) {
            Next::Answer(Question::Limits(7), answer) => assert_eq!(answer, "164M"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn left() {
        let prompt = Prompt::new(Question::Delay);
        assert!(matches!(prompt.key(&KeyCode::Esc.into()), Next::Nothing));
    }
}
