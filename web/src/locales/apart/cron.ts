// What is wrong with a pattern of times or its zone.

const en = {
  minute: 'Minutes (the first field) go from 0 to 59, so not `{part}`. Every quarter of an hour: `*/15 * * * *`',
  hour: 'Hours (the second field) go from 0 to 23, so not `{part}`. Every day at half past six: `30 6 * * *`',
  day: 'Days of the month (the third field) go from 1 to 31, so not `{part}`. On the 15th at eight: `0 8 15 * *`',
  month: 'Months (the fourth field) go from 1 to 12 or JAN to DEC, so not `{part}`. On the first of June at eight: `0 8 1 JUN *`',
  weekday: 'Days of the week (the fifth field) go from 0 to 7 or SUN to SAT, so not `{part}`. On weekdays at eight: `0 8 * * MON-FRI`',
  fields: 'A pattern has five fields with blanks between them, this one {n}. Every day at eight: `0 8 * * *`',
  never: 'There is no such day, so it would never come. On the last day of each month at eight: `0 8 L * *`',
  other: 'This is no pattern. Every day at eight: `0 8 * * *`',
  zone: 'No zone is called that. One is `Europe/Berlin`.',
  'zone-nearest': 'No zone is called that. Did you mean `{name}`?',
}
const cn: typeof en = {
  minute: '分钟（第一个字段）为 0 到 59，不能是 `{part}`。每一刻钟：`*/15 * * * *`',
  hour: '小时（第二个字段）为 0 到 23，不能是 `{part}`。每天六点半：`30 6 * * *`',
  day: '日（第三个字段）为 1 到 31，不能是 `{part}`。每月 15 日八点：`0 8 15 * *`',
  month: '月（第四个字段）为 1 到 12 或 JAN 到 DEC，不能是 `{part}`。六月一日八点：`0 8 1 JUN *`',
  weekday: '星期（第五个字段）为 0 到 7 或 SUN 到 SAT，不能是 `{part}`。工作日八点：`0 8 * * MON-FRI`',
  fields: '表达式由空格分开的五个字段组成，这里有 {n} 个。每天八点：`0 8 * * *`',
  never: '没有这样的一天，永远不会触发。每月最后一天八点：`0 8 L * *`',
  other: '这不是有效的表达式。每天八点：`0 8 * * *`',
  zone: '没有这个时区。正确的名称例如 `Europe/Berlin`。',
  'zone-nearest': '没有这个时区。是不是 `{name}`？',
}
const tw: typeof en = {
  minute: '分鐘（第一個欄位）為 0 到 59，不能是 `{part}`。每一刻鐘：`*/15 * * * *`',
  hour: '小時（第二個欄位）為 0 到 23，不能是 `{part}`。每天六點半：`30 6 * * *`',
  day: '日（第三個欄位）為 1 到 31，不能是 `{part}`。每月 15 日八點：`0 8 15 * *`',
  month: '月（第四個欄位）為 1 到 12 或 JAN 到 DEC，不能是 `{part}`。六月一日八點：`0 8 1 JUN *`',
  weekday: '星期（第五個欄位）為 0 到 7 或 SUN 到 SAT，不能是 `{part}`。工作日八點：`0 8 * * MON-FRI`',
  fields: '運算式由空格分開的五個欄位組成，這裡有 {n} 個。每天八點：`0 8 * * *`',
  never: '沒有這樣的一天，永遠不會觸發。每月最後一天八點：`0 8 L * *`',
  other: '這不是有效的運算式。每天八點：`0 8 * * *`',
  zone: '沒有這個時區。正確的名稱例如 `Europe/Berlin`。',
  'zone-nearest': '沒有這個時區。是不是 `{name}`？',
}

export default { en, 'zh-CN': cn, 'zh-TW': tw }
