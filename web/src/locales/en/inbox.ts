export default {
  'inbox.title': 'Inbox',
}
