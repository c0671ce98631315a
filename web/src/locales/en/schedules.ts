export default {
  'schedules.title': 'Schedules',
}
