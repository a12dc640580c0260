-- KEYS: the state, tags... ARGV: era, life of the tags in ms. Returns the state, with the tags known from now on.
local state = state_of(KEYS[1], ARGV[1])
for i = 2, #KEYS do
  remember(KEYS[i], string.sub(state, 9, 16), ARGV[2])
end
return state
