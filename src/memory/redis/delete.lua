-- Deletes a conversation if it was last touched before a time. Gives 1 if there was one.
-- KEYS: the conversation's fields, its items, the set of all ids by last touch. ARGV: id, the time (empty: in any case).
local touched = redis.call('HGET', KEYS[1], 'touched')
if ARGV[2] ~= '' and touched and tonumber(touched) >= tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[3], touched, ARGV[1])
  return 0
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[1], KEYS[2])
return touched and 1 or 0
