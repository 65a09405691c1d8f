// Word error rate: the least number of words to change, add or leave out, over the words of the known text.
// Case and punctuation do not count; Chinese and Japanese count by character.

export function wordErrorRate(known, heard) {
  const reference = wordsOf(known)
  if (reference.length === 0) throw new Error('the known text has no words')
  return editDistance(reference, wordsOf(heard)) / reference.length
}

export function wordsOf(text) {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[’‘]/g, "'")
      .match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*/gu)
      ?.flatMap((word) => (/^\p{L}*[\p{Script=Han}]/u.test(word) ? [...word] : [word])) ?? []
  )
}

function editDistance(reference, heard) {
  let row = heard.map((_, index) => index + 1)
  row.unshift(0)
  reference.forEach((word, line) => {
    const next = [line + 1]
    heard.forEach((other, column) => {
      next.push(Math.min(row[column] + (word === other ? 0 : 1), row[column + 1] + 1, next[column] + 1))
    })
    row = next
  })
  return row.at(-1)
}
