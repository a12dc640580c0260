-- KEYS: the state, then tags, or the name that tells of clearings. ARGV: era; 'tags', 'clear' or 'pattern'; least life of
-- the tags in ms.
-- Takes the next number and gives it to what is invalidated. Returns the state.
redis.call('PERSIST', KEYS[1]) -- who has begun to write may go on, on a full server too
local state = state_of(KEYS[1], ARGV[1])
local number, cleared, pattern = struct.unpack('>I8I8I8', state, 9)
number = number + 1
if ARGV[2] == 'clear' then cleared = number end
if ARGV[2] == 'pattern' then pattern = number end
for i = 2, #KEYS do
  remember(KEYS[i], struct.pack('>I8', number), ARGV[3])
  redis.call('SET', KEYS[i], struct.pack('>I8', number), 'KEEPTTL')
end
state = string.sub(state, 1, 8) .. struct.pack('>I8I8I8', number, cleared, pattern)
redis.call('SET', KEYS[1], state)
return state
