# An MCP server for tests, over standard input and output: sh -c "$(cat stand_in.sh)" stand-in KIND [FILE].
kind=$1
file=$2
cancelled=0
page=0
extra=
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
refuse() { printf '{"jsonrpc":"2.0","id":%s,"error":{"code":%s,"message":"%s"}}\n' "$id" "$1" "$2"; }
say() { answer '{"content":[{"type":"text","text":"'"$1"'"}]}'; }
tool() {
  printf '{"name":"%s","description":"about %s","inputSchema":{"type":"object","properties":{"text":{"type":"string"}}}}' "$1" "$1"
}

if [ "$kind" = broken ]; then
  echo 'this is no JSON'
  echo 'Traceback: no module named desk' >&2
  exit 3
fi
# Once it has died it stays dead.
if [ -n "$file" ] && [ -e "$file" ]; then exit 4; fi

while IFS= read -r line; do
  rest=${line#*\"id\":}
  id=${rest%%[!0-9]*}
  case $line in
  *'"method":"initialize"'*)
    if [ "$kind" = modern ]; then
      refuse -32601 'no handshake here'
    else
      answer '{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"stand-in","version":"1"}}'
    fi ;;
  *'"method":"server/discover"'*)
    if [ "$kind" = modern ]; then
      answer '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"}'
    else
      refuse -32601 'unknown method'
    fi ;;
  *'"method":"subscriptions/listen"'*) refuse -32601 'unknown method' ;;
  *'"method":"notifications/cancelled"'*) cancelled=$((cancelled + 1)) ;;
  *'"method":"notifications/'*) ;;
  *'"method":"tools/list"'*)
    case $kind in
    mute) ;;
    bare) refuse -32601 'no tools here' ;;
    many)
      page=$((page + 1))
      list=$(tool "t$page")
      number=1
      while [ $number -lt 100 ]; do list="$list,$(tool "t${page}_$number")"; number=$((number + 1)); done
      answer '{"tools":['"$list"'],"nextCursor":"'"$page"'"}' ;;
    odd)
      answer '{"tools":[{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":7}}}},{"name":"get.item/one","inputSchema":{"type":"object"}}]}' ;;
    *)
      list=$(tool echo)
      for name in die stall rubbish change cancelled fail wrong secret pid $extra; do list="$list,$(tool "$name")"; done
      answer '{"tools":['"$list"']}' ;;
    esac ;;
  *'"method":"tools/call"'*)
    case $line in
    *'"name":"echo"'*)
      arguments=${line#*\"arguments\":}
      answer '{"content":[],"structuredContent":'"${arguments%\}\}}"'}' ;;
    *'"name":"die"'*)
      echo 'out of paper' >&2
      if [ -n "$file" ]; then : >"$file"; fi
      exit 5 ;;
    *'"name":"stall"'*) ;;
    *'"name":"rubbish"'*)
      printf 'not json\n{"jsonrpc":"2.0"}\n[1,2\n\n{"jsonrpc":"2.0","id":999999,"result":{}}\n{"a":"\377"}\n'
      say 'after the rubbish' ;;
    *'"name":"change"'*)
      extra=fresh
      say changed
      printf '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n' ;;
    *'"name":"cancelled"'*) say $cancelled ;;
    *'"name":"fail"'*) answer '{"content":[{"type":"text","text":"the printer is on fire"}],"isError":true}' ;;
    *'"name":"wrong"'*) refuse -32602 'text must be upper case' ;;
    *'"name":"secret"'*) say "$DESK $(env | sed 's/=.*//' | sort | tr '\n' ' ')" ;;
    *'"name":"pid"'*) say $$ ;;
    *) say 'called by another name' ;;
    esac ;;
  esac
done
