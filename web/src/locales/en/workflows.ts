export default {
  'workflows.title': 'Workflows',
}
