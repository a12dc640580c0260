-- KEYS: an entry, its fence. ARGV: the record that was seen, '' for none; the new one; life in ms, '' to keep what is
-- left; a token or ''. Replaces what was seen and nothing else. With a token it is a restamping by a load that was not
-- overtaken; without, a write, which overtakes all loads. 1 when done.
if (stored(KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[4] ~= '' and redis.call('HEXISTS', KEYS[2], ARGV[4]) == 0 then return 0 end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if ARGV[4] == '' then redis.call('UNLINK', KEYS[2]) end
return 1
