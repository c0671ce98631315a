// The titles of the workflows that come with trawl, by those of their definitions.

export default {
  'zh-CN': {
    'Paste a link, get the words': '粘贴链接，得到文字',
    'The words of a link and a summary of them': '链接的文字与摘要',
    'Chapters, keywords and mood of media that is here, told to someone': '为已有媒体整理章节、关键词和情绪，并发送结果',
    'Subtitles in another language, with the times of what is said': '翻译字幕，保留时间轴',
    'The files of a folder, each as a task of its own': '文件夹中的每个文件各成一个任务',
    'A task for each new post of an account, a playlist or a feed': '账号、播放列表或订阅的每条新内容各成一个任务',
  },
  'zh-TW': {
    'Paste a link, get the words': '貼上連結，得到文字',
    'The words of a link and a summary of them': '連結的文字與摘要',
    'Chapters, keywords and mood of media that is here, told to someone': '為已有媒體整理章節、關鍵詞和情緒，並傳送結果',
    'Subtitles in another language, with the times of what is said': '翻譯字幕，保留時間軸',
    'The files of a folder, each as a task of its own': '資料夾中的每個檔案各成一個任務',
    'A task for each new post of an account, a playlist or a feed': '帳號、播放清單或訂閱的每則新內容各成一個任務',
  },
} as Record<string, Record<string, string>>
