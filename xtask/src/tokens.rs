//! Just enough of Rust's grammar to find the paths that a file names: comments and literals are skipped, identifiers
//! and punctuation come with their lines, and `crate::` and `super::` paths are resolved to the modules they reach.

use std::iter::Peekable;
use std::str::Chars;

/// An identifier or a single character of punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// Keyword or name.
    Word(String),
    /// One character; `::` is two of them.
    Mark(char),
}

impl Token {
    fn is(&self, mark: char) -> bool {
        *self == Token::Mark(mark)
    }

    fn word(&self) -> Option<&str> {
        match self {
            Token::Word(word) => Some(word),
            Token::Mark(_) => None,
        }
    }
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        self.chars.next_if_eq(&wanted).is_some()
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
        }
        word
    }

    /// The rest of a block comment; they nest.
    fn block_comment(&mut self) {
        let (mut depth, mut before) = (1, ' ');
        while let Some(c) = self.next() {
            match (before, c) {
                ('*', '/') => depth -= 1,
                ('/', '*') => depth += 1,
                _ => {
                    before = c;
                    continue;
                }
            }
            before = ' ';
            if depth == 0 {
                return;
            }
        }
    }

    /// The rest of a string or character literal.
    fn quoted(&mut self, quote: char) {
        while let Some(c) = self.next() {
            match c {
                '\\' => drop(self.next()),
                _ if c == quote => return,
                _ => {}
            }
        }
    }

    /// The rest of a raw string, after its `r`: `#"…"#`. False if it is a raw identifier.
    fn raw_string(&mut self) -> bool {
        let mut hashes = 0;
        while self.next_if('#') {
            hashes += 1;
        }
        if !self.next_if('"') {
            return false;
        }
        let mut closing = None;
        while let Some(c) = self.next() {
            closing = match (c, closing) {
                ('"', _) => Some(0),
                ('#', Some(seen)) => Some(seen + 1),
                _ => None,
            };
            if closing == Some(hashes) {
                break;
            }
        }
        true
    }

    /// After `'`: the rest of a character literal, or nothing if it is a lifetime.
    fn character_or_lifetime(&mut self) {
        let mut ahead = self.chars.clone();
        let first = ahead.next();
        if first == Some('\\') || ahead.next() == Some('\'') {
            self.quoted('\'');
        }
    }
}

/// The tokens of a source text, each with its line.
pub(crate) fn tokens(source: &str) -> Vec<(usize, Token)> {
    let mut reader = Reader { chars: source.chars().peekable(), line: 1 };
    let mut found = Vec::new();
    while let Some(c) = reader.next() {
        let line = reader.line;
        match c {
            '/' if reader.next_if('/') => while reader.next().is_some_and(|c| c != '\n') {},
            '/' if reader.next_if('*') => reader.block_comment(),
            '"' => reader.quoted('"'),
            '\'' => reader.character_or_lifetime(),
            'r' | 'b' | 'c' if matches!(reader.chars.peek(), Some('"' | '#' | 'r' | '\'')) => {
                let raw = c == 'r' || reader.next_if('r');
                if raw && matches!(reader.chars.peek(), Some('"' | '#')) {
                    reader.raw_string();
                } else if reader.next_if('"') {
                    reader.quoted('"');
                } else if reader.next_if('\'') {
                    reader.quoted('\'');
                } else {
                    let mut word = String::from(c);
                    word.extend((raw && c != 'r').then_some('r'));
                    let rest = reader.word('_');
                    word.push_str(rest.get(1..).unwrap_or_default());
                    found.push((line, Token::Word(word)));
                }
            }
            c if c.is_alphabetic() || c == '_' => {
                let word = reader.word(c);
                found.push((line, Token::Word(word)));
            }
            c if c.is_whitespace() => {}
            c => found.push((line, Token::Mark(c))),
        }
    }
    found
}

/// A name directly below the crate root that a file uses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// Line of the name.
    pub(crate) line: usize,
    /// The name, or `*`.
    pub(crate) name: String,
}

/// Names below the crate root that `source` reaches through `crate::…` or through enough `super::`s.
/// `depth` is how far the file's module is below the root: 0 for `lib.rs`, 1 for `store.rs` and `store/mod.rs`.
pub(crate) fn uses(source: &str, depth: usize) -> Vec<Use> {
    let tokens = tokens(source);
    let at = |index: usize| tokens.get(index).map(|(_, token)| token);
    let colons = |index: usize| at(index).is_some_and(|t| t.is(':')) && at(index + 1).is_some_and(|t| t.is(':'));
    let mut found = Vec::new();
    // one entry per open brace: whether it belongs to `mod name {`
    let mut braces = Vec::new();
    let mut index = 0;
    while let Some((_, token)) = tokens.get(index) {
        match token {
            Token::Mark('{') => {
                let before = index.checked_sub(2).and_then(at).and_then(Token::word);
                braces.push(before == Some("mod"));
            }
            Token::Mark('}') => drop(braces.pop()),
            Token::Word(word) if word == "crate" && colons(index + 1) => {
                names_after(&tokens, index + 3, &mut found);
                index += 2;
            }
            Token::Word(word) if word == "super" && colons(index + 1) => {
                let mut supers = 1;
                while at(index + 3).and_then(Token::word) == Some("super") && colons(index + 4) {
                    supers += 1;
                    index += 3;
                }
                let inline = braces.iter().filter(|of_module| **of_module).count();
                if supers == depth + inline {
                    names_after(&tokens, index + 3, &mut found);
                }
                index += 2;
            }
            _ => {}
        }
        index += 1;
    }
    found
}

/// The name at `index`, or the first names of each branch of the group that opens there.
fn names_after(tokens: &[(usize, Token)], index: usize, found: &mut Vec<Use>) {
    let name = |line: usize, token: &Token| match token {
        Token::Word(word) => Some(Use { line, name: word.clone() }),
        Token::Mark('*') => Some(Use { line, name: "*".to_owned() }),
        Token::Mark(_) => None,
    };
    match tokens.get(index) {
        Some((_, token)) if token.is('{') => {
            let (mut depth, mut first) = (1, true);
            for (line, token) in tokens.iter().skip(index + 1) {
                match token {
                    Token::Mark('{') => depth += 1,
                    Token::Mark('}') => depth -= 1,
                    Token::Mark(',') if depth == 1 => first = true,
                    token if first && depth == 1 => {
                        found.extend(name(*line, token).filter(|found| found.name != "self"));
                        first = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    return;
                }
            }
        }
        Some((line, token)) => found.extend(name(*line, token)),
        None => {}
    }
}

/// What `lib.rs` re-exports: `(name, module)` for `pub use module::name` and `pub use module::{a, b as c}`.
pub(crate) fn reexports(lib: &str) -> Vec<(String, String)> {
    let tokens: Vec<Token> = tokens(lib).into_iter().map(|(_, token)| token).collect();
    let mut found = Vec::new();
    for (index, _) in tokens.iter().enumerate().filter(|(_, token)| token.word() == Some("use")) {
        let statement: Vec<&Token> = tokens.iter().skip(index + 1).take_while(|token| !token.is(';')).collect();
        let mut words =
            statement.iter().filter_map(|token| token.word()).skip_while(|w| matches!(*w, "crate" | "self"));
        let Some(module) = words.next() else { continue };
        // the last word before a comma, a closing brace or the end is the visible name
        for (position, token) in statement.iter().enumerate() {
            let ends = statement.get(position + 1).is_none_or(|next| next.is(',') || next.is('}'));
            if let (true, Some(word)) = (ends, token.word()) {
                found.push((word.to_owned(), module.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str, depth: usize) -> Vec<String> {
        uses(source, depth).into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn comments_strings_and_characters_name_nothing() {
        let source = r##"
            // crate::store
            /* crate::store /* nested crate::store */ crate::store */
            const A: &str = "crate::store \" crate::store";
            const B: &str = r#"crate::store " crate::store"#;
            const C: char = '"'; const D: &'static str = "crate::store";
            const E: &[u8] = br"crate::store"; const F: u8 = b'"';
            fn brand(r#crate: u8) { crate::net::x() }
        "##;
        assert_eq!(names(source, 1), ["net"]);
    }

    #[test]
    fn groups_and_several_lines_name_each_branch() {
        let source =
            "use crate::{self, model::{A, B},\n store::writer::Writer, Item};\nlet x = crate::net::Socket::new();";
        let found = uses(source, 1);
        let expected = [(1, "model"), (2, "store"), (2, "Item"), (3, "net")];
        assert_eq!(found.iter().map(|u| (u.line, u.name.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn supers_that_reach_the_root_count_and_others_do_not() {
        assert_eq!(names("use super::net::Socket;", 1), ["net"]);
        assert_eq!(names("use super::writer::Writer;", 2), Vec::<String>::new());
        assert_eq!(names("use super::super::net::Socket;", 2), ["net"]);
        assert_eq!(names("mod tests { use super::inner; use super::super::net::Socket; }", 1), ["net"]);
        assert_eq!(names("fn f() { if x { super::net::y() } }", 1), ["net"]);
    }

    #[test]
    fn globs_of_the_root_are_seen() {
        assert_eq!(names("use crate::*;", 1), ["*"]);
    }

    #[test]
    fn reexports_lead_to_their_modules() {
        let found = reexports("mod client;\npub use client::{Client, Session as Login};\npub use crate::error::Error;");
        let expected = [("Client", "client"), ("Login", "client"), ("Error", "error")];
        assert_eq!(found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>(), expected);
    }
}
