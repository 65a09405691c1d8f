-- Adds items to a conversation, all or nothing.
-- KEYS: the conversation's fields, its items, the set of all ids by last touch.
-- ARGV: id, now, oldest allowed touch, seconds to live (0: for ever), most items, most bytes, token of this request,
-- summary, number up to which it reaches (empty: no new summary), then the items as "<bytes of text> <JSON>".
local fields, items, touches = KEYS[1], KEYS[2], KEYS[3]
local id, now, oldest, ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most_items, most_bytes, token = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]

local touched = tonumber(redis.call('HGET', fields, 'touched') or nil)
if touched and touched < oldest then
  redis.call('DEL', fields, items)
  touched = nil
end
-- A request that is sent again because its answer was lost has been carried out already.
if touched and redis.call('HGET', fields, 'token') == token then
  return tonumber(redis.call('HGET', fields, 'next'))
end
local number = 0
if touched then
  number = tonumber(redis.call('HGET', fields, 'next'))
else
  redis.call('HSET', fields, 'created', ARGV[2])
end
for i = 10, #ARGV do
  redis.call('RPUSH', items, ARGV[i])
  number = number + 1
end
touched = math.max(touched or 0, now)
redis.call('HSET', fields, 'touched', string.format('%.0f', touched), 'next', string.format('%.0f', number), 'token', token)
if ARGV[9] ~= '' then
  redis.call('HSET', fields, 'summary', ARGV[8], 'upto', ARGV[9])
end

local kept = redis.call('LRANGE', items, 0, -1)
local bytes = 0
for _, item in ipairs(kept) do
  bytes = bytes + tonumber(string.match(item, '^%d+'))
end
local gone = 0
while #kept - gone > 1 and (#kept - gone > most_items or bytes > most_bytes) do
  gone = gone + 1
  bytes = bytes - tonumber(string.match(kept[gone], '^%d+'))
end
if gone > 0 then
  redis.call('LTRIM', items, gone, -1)
end

redis.call('ZADD', touches, string.format('%.0f', touched), id)
for _, key in ipairs({fields, items}) do
  if ttl > 0 then
    redis.call('EXPIRE', key, ttl)
  else
    redis.call('PERSIST', key)
  end
end
return number
