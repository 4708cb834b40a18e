"""Instructions in words, such as "remove the dog and turn the speech up by 3 dB", read as gains.

    instruction = clause { ("and" | "but" | "then" | "," | ";" | "without" ...) clause }
    clause      = [verb] {change} sound {change}
    sound       = name | quoted name | "everything else" | "everything except" name
    change      = direction [amount] | amount, such as "louder", "down by 6 dB", "half as loud"

A clause without a verb goes on with what the one before it said, so that "turn down the dog and the
rain by 6 dB" turns both down by as much. What is named is given a gain in dB; a removed sound has
minus infinity. The rest of the recording stays as it is, unless the instruction says what is to
be kept ("keep", "extract", "only" ...): then the rest goes, or gets what is said about it.

What is not in this grammar is refused, with the words at which reading stopped: a guess would cost
the listener more than another try.

`words` and `levels` are the vocabulary; `clauses` reads each clause as it stands, `context` adds
what it takes from those beside it, and `reading` puts all of them together.
"""
