// What of a password follows from what stands before it: blocks typed again ("Summer2026Summer2026") and walks over a
// keyboard in steps that stay the same ("qwertyuiop", "1qaz2wsx3edc", "1q2w3e4r"), which zxcvbn takes for random where
// they are long or zigzag. Not a judge of strength: that is zxcvbn's, of what is left. Thread-safe.
#pragma once

#include "base/secret.h"

namespace invited::domain {

/// `password` (valid UTF-8), case folded, without the characters that continue a block or a walk; the first ones of
/// each stay. Walks are known on QWERTY, QWERTZ, AZERTY and in alphabetical order, their digits with shift or without.
/// Words and sentences lose next to nothing: a walk is one from four keys on.
base::Secret without_patterns(const base::Secret& password);

}  // namespace invited::domain
