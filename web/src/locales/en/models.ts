export default {
  'models.title': 'Models',
}
